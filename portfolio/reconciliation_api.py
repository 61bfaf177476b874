"""Differences between what exchanges report and what facts give."""

from typing import cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core import clock
from core.django import tenancy
from core.django.answers import plain, schema
from core.django.schema import problems
from core.django.serializers import StrictSerializer
from core.django.views import Endpoint
from credentials.queries import ScopeQuery
from credentials.scope import resolve
from portfolio import reconciliation
from portfolio.models import ItemKind, ItemState
from portfolio.selectors import reconciliation as selectors

_ITEM = schema(selectors.DifferenceItem, amounts="text")


class ItemsQuery(ScopeQuery):
    state = serializers.ChoiceField(ItemState.choices, required=False)
    kind = serializers.ChoiceField(ItemKind.choices, required=False)
    limit = serializers.IntegerField(min_value=1, max_value=selectors.MAX_LIMIT, default=100)
    cursor = serializers.CharField(
        required=False, max_length=80, help_text="`next_cursor` of the page before."
    )


class DismissalSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500, help_text="Why the difference is right as it is.")


class ReconciliationView(Endpoint):
    """The inbox of differences."""

    query_serializer = ItemsQuery

    @extend_schema(
        operation_id="api_reconciliation",
        tags=["reconciliation"],
        parameters=[ItemsQuery],
        responses={200: schema(selectors.DifferencePage, amounts="text"), **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> Response:
        """Newest first, in any state unless one is asked for; `next_cursor` is null on the last page."""
        filters = dict(self.query)
        chosen = {name: filters.pop(name, None) for name in ("exchange", "account", "mode")}
        with tenancy.acting_as(_user_id(request)):
            page = selectors.items(scope=resolve(**chosen), **filters)
        return Response(plain(page, amounts="text"))


class ReconciliationItemView(Endpoint):
    """One difference."""

    @extend_schema(
        operation_id="api_reconciliation_item",
        tags=["reconciliation"],
        responses={200: _ITEM, **problems(400, 401, 404)},
    )
    def get(self, request: Request, item_id: int) -> Response:
        """With the interval in which it began, its most likely cause and the evidence for that."""
        with tenancy.acting_as(_user_id(request)):
            found = selectors.item(item_id=item_id)
        return Response(plain(found, amounts="text"))


class DismissView(Endpoint):
    """Dismissing a difference."""

    @extend_schema(
        operation_id="api_reconciliation_dismiss",
        tags=["reconciliation"],
        request=DismissalSerializer,
        responses={200: _ITEM, **problems(400, 401, 404, 409)},
    )
    def post(self, request: Request, item_id: int) -> Response:
        """It stays dismissed while the difference stays as it is, and is open again when it changes."""
        reason = self.body(DismissalSerializer)["reason"]
        with tenancy.acting_as(_user_id(request)):
            reconciliation.dismiss(item_id=item_id, reason=reason, at=clock.now())
            found = selectors.item(item_id=item_id)
        return Response(plain(found, amounts="text"))


class ReopenView(Endpoint):
    """Taking a dismissal back."""

    @extend_schema(
        operation_id="api_reconciliation_reopen",
        tags=["reconciliation"],
        request=None,
        responses={200: _ITEM, **problems(400, 401, 404, 409)},
    )
    def post(self, request: Request, item_id: int) -> Response:
        """Of a dismissed difference."""
        with tenancy.acting_as(_user_id(request)):
            reconciliation.reopen(item_id=item_id, at=clock.now())
            found = selectors.item(item_id=item_id)
        return Response(plain(found, amounts="text"))


def _user_id(request: Request) -> UUID:
    return cast("User", request.user).id
