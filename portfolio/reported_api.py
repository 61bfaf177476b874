"""What exchanges report of contracts."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.django import tenancy
from core.django.answers import plain, schema
from core.django.schema import problems
from core.django.views import Endpoint
from credentials.queries import ScopeQuery
from credentials.scope import resolve
from portfolio.selectors import reported


class ReportedQuery(ScopeQuery):
    symbol = serializers.CharField(required=False, max_length=40, help_text="As on the exchange.")


class ReportedPositionsView(Endpoint):
    """Contract positions as the exchanges report them."""

    query_serializer = ReportedQuery

    @extend_schema(
        operation_id="api_reported_positions",
        tags=["portfolio"],
        parameters=[ReportedQuery],
        responses={200: schema(reported.ReportedContracts, amounts="text"), **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> Response:
        """What is held by each account's latest report, told beside the positions our books give."""
        chosen = dict(self.query)
        symbol = chosen.pop("symbol", None)
        with tenancy.acting_as(cast("User", request.user).id):
            found = reported.reported_contracts(scope=resolve(**chosen), symbol=symbol)
        return Response(plain(found, amounts="text"))
