"""Fills, orders and funding as the exchanges reported them, newest first."""

from collections.abc import Callable
from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.django import tenancy
from core.django.answers import plain
from core.django.schema import problems
from core.django.views import Endpoint
from credentials.scope import resolve
from orders import selectors
from orders.selectors import ListPage
from orders.serializers import (
    FillPageSerializer,
    FillQuery,
    FundingPageSerializer,
    FundingQuery,
    OrderPageSerializer,
    OrderQuery,
)


class FillsView(Endpoint):
    """Executions."""

    query_serializer = FillQuery

    @extend_schema(
        operation_id="api_fills",
        tags=["orders"],
        parameters=[FillQuery],
        responses={200: FillPageSerializer, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> Response:
        """A page of fills of the scope; `next_cursor` is null on the last."""
        return _page(request, self.query, selectors.fills_page)


class OrdersView(Endpoint):
    """Orders in any state."""

    query_serializer = OrderQuery

    @extend_schema(
        operation_id="api_orders",
        tags=["orders"],
        parameters=[OrderQuery],
        responses={200: OrderPageSerializer, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> Response:
        """A page of orders of the scope; `next_cursor` is null on the last."""
        return _page(request, self.query, selectors.orders_page)


class FundingView(Endpoint):
    """Funding of contracts."""

    query_serializer = FundingQuery

    @extend_schema(
        operation_id="api_funding",
        tags=["orders"],
        parameters=[FundingQuery],
        responses={200: FundingPageSerializer, **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> Response:
        """A page of funding payments of the scope; `next_cursor` is null on the last."""
        return _page(request, self.query, selectors.funding_page)


def _page(request: Request, query: dict[str, Any], read: Callable[..., ListPage]) -> Response:
    filters = dict(query)
    if market_type := filters.pop("market_type", None):
        filters["market_types"] = [market_type]
    chosen = {name: filters.pop(name, None) for name in ("exchange", "account", "mode")}
    with tenancy.acting_as(cast("User", request.user).id):
        scope = resolve(**chosen)
        page = read(account_ids=scope.account_ids, **filters)
    return Response(plain({"results": page.rows, "next_cursor": page.next_cursor}, amounts="text"))
