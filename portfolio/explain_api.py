"""Every number explains itself: trees of what it is made of, down to facts, with the checks that add them up again."""

from abc import abstractmethod
from typing import Any, Final, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core import clock
from core.django import tenancy
from core.django.answers import plain, schema
from core.django.schema import problems
from core.django.serializers import QuerySerializer
from core.django.views import Endpoint
from portfolio.selectors.trees.day import day_tree
from portfolio.selectors.trees.metric import metric_tree
from portfolio.selectors.trees.node import ExplanationTree
from portfolio.selectors.trees.position import position_tree
from portfolio.selectors.trees.snapshot import snapshot_tree
from portfolio.selectors.trees.trade import trade_tree

_MAX_ID: Final = 2**63 - 1


class PartQuery(QuerySerializer):
    part = serializers.CharField(
        required=False,
        max_length=80,
        default="",
        help_text="One list of the tree, from the link of its rest.",
    )
    after = serializers.IntegerField(
        min_value=0, max_value=_MAX_ID, default=0, help_text="The list's last row before; from the same link."
    )


class AccountPartQuery(PartQuery):
    account = serializers.CharField(required=False, max_length=100, help_text="Id or label of one account.")


class MetricPartQuery(AccountPartQuery):
    strategy = serializers.CharField(
        required=False, max_length=60, default="", help_text="Only trades of this strategy."
    )


class ExplanationEndpoint(Endpoint):
    """Answers a tree of the user's own."""

    query_serializer = PartQuery

    def read(self, request: Request, **wanted: Any) -> Response:
        with tenancy.acting_as(cast("User", request.user).id):
            tree = self.tree(**wanted, **self.query)
        return Response(plain(tree, amounts="text"))

    @abstractmethod
    def tree(self, **wanted: Any) -> ExplanationTree:
        """Inside the open door."""


_ANSWER: Final[dict[str, Any]] = {
    "tags": ["explain"],
    "parameters": [PartQuery],
    "responses": {200: schema(ExplanationTree, amounts="text"), **problems(400, 401, 404)},
}
_OF_ACCOUNTS: Final[dict[str, Any]] = {**_ANSWER, "parameters": [AccountPartQuery]}


class TradeTreeView(ExplanationEndpoint):
    """A trade's result."""

    @extend_schema(operation_id="api_explain_trade", **_ANSWER)
    def get(self, request: Request, trade_id: int) -> Response:
        """Net result down to parts of exits, their fills, fees and the prices used."""
        return self.read(request, trade_id=trade_id)

    def tree(self, **wanted: Any) -> ExplanationTree:
        return trade_tree(**wanted)


class PositionTreeView(ExplanationEndpoint):
    """A position's result."""

    @extend_schema(operation_id="api_explain_position", **_ANSWER)
    def get(self, request: Request, position_id: int) -> Response:
        """Net result trade by trade, funding, what came into the position and left it, and what it is worth now."""
        return self.read(request, position_id=position_id)

    def tree(self, **wanted: Any) -> ExplanationTree:
        return position_tree(**wanted, at=clock.now())


class SnapshotTreeView(ExplanationEndpoint):
    """A snapshot's equity."""

    @extend_schema(operation_id="api_explain_snapshot", **_ANSWER)
    def get(self, request: Request, snapshot_id: str) -> Response:
        """What was held at which prices. By the snapshot's id, or as `{account}:{day}`."""
        return self.read(request, snapshot_id=snapshot_id)

    def tree(self, **wanted: Any) -> ExplanationTree:
        return snapshot_tree(**wanted)


class DayTreeView(ExplanationEndpoint):
    """A day of the equity curve."""

    query_serializer = AccountPartQuery

    @extend_schema(operation_id="api_explain_day", **_OF_ACCOUNTS)
    def get(self, request: Request, day: str) -> Response:
        """What changed the equity on a UTC day, of one account or of all live ones."""
        return self.read(request, day=day)

    def tree(self, **wanted: Any) -> ExplanationTree:
        return day_tree(**wanted)


class MetricTreeView(ExplanationEndpoint):
    """Performance metrics."""

    query_serializer = MetricPartQuery

    @extend_schema(operation_id="api_explain_metric", **{**_ANSWER, "parameters": [MetricPartQuery]})
    def get(self, request: Request, metric_id: str) -> Response:
        """A period's result by day. By a row's id, or `daily`, `weekly`, `monthly`, `all_time`: the newest, or with a
        day, as in `daily:2026-01-31`, the one that holds it."""
        return self.read(request, metric_id=metric_id)

    def tree(self, **wanted: Any) -> ExplanationTree:
        return metric_tree(**wanted)
