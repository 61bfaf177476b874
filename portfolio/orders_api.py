"""What users say about their orders: strategy, note, tags. Positions and trades follow before the answer."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.django import tenancy
from core.django.answers import plain, schema
from core.django.schema import problems
from core.django.views import Endpoint
from orders import selectors, strategies
from orders.serializers import OrderNotesSerializer, OrderSerializer, PrefixSerializer
from orders.strategies import PrefixRule
from portfolio import annotations


class OrderView(Endpoint):
    """One order, and what its owner says about it."""

    @extend_schema(
        operation_id="api_order",
        tags=["orders"],
        responses={200: OrderSerializer, **problems(400, 401, 404)},
    )
    def get(self, request: Request, order_id: int) -> Response:
        """As last seen."""
        with tenancy.acting_as(_user(request).id):
            found = selectors.order(order_id=order_id)
        return Response(plain(found, amounts="text"))

    @extend_schema(
        operation_id="api_order_annotate",
        tags=["orders"],
        request=OrderNotesSerializer,
        responses={200: OrderSerializer, **problems(400, 401, 403, 404)},
    )
    def patch(self, request: Request, order_id: int) -> Response:
        """Set strategy, note or tags. The strategy is carried to the order's fills, the position it opened and the
        trades it ended; the change stands in the audit trail."""
        given = self.body(OrderNotesSerializer)
        with tenancy.acting_as(_user(request).id):
            order = strategies.annotate(order_id=order_id, **given)
            annotations.follow([order.account_id])
            found = selectors.order(order_id=order_id)
        return Response(plain(found, amounts="text"))


class PrefixesView(Endpoint):
    """Rules that tell the strategy of an order by its client order id."""

    @extend_schema(
        operation_id="api_strategy_prefixes",
        tags=["orders"],
        responses={200: schema(PrefixRule, amounts="text")(many=True), **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """All of them; the longest prefix wins."""
        with tenancy.acting_as(_user(request).id):
            found = strategies.rules()
        return Response(plain(found, amounts="text"))

    @extend_schema(
        operation_id="api_strategy_prefix_set",
        tags=["orders"],
        request=PrefixSerializer,
        responses={201: schema(PrefixRule, amounts="text"), **problems(400, 401, 403)},
    )
    def post(self, request: Request) -> Response:
        """Make or change the rule of a prefix; orders already stored follow, but for those with a tag of their own."""
        given, user = self.body(PrefixSerializer), _user(request)
        with tenancy.acting_as(user.id):
            rule, accounts = strategies.set_rule(user_id=user.id, **given)
            annotations.follow(accounts)
        return Response(plain(rule, amounts="text"), status=status.HTTP_201_CREATED)


class PrefixView(Endpoint):
    """One rule."""

    @extend_schema(
        operation_id="api_strategy_prefix_remove",
        tags=["orders"],
        responses={204: None, **problems(400, 401, 403, 404)},
    )
    def delete(self, request: Request, prefix_id: int) -> Response:
        """Its orders fall to the next longest prefix, or to no strategy."""
        user = _user(request)
        with tenancy.acting_as(user.id):
            annotations.follow(strategies.remove_rule(user_id=user.id, rule_id=prefix_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _user(request: Request) -> User:
    return cast("User", request.user)
