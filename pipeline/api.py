"""Asking for a sync and watching it."""

from typing import cast
from uuid import UUID

from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core import clock
from core.django.answers import plain, schema
from core.django.schema import problems
from core.django.serializers import StrictSerializer
from core.django.views import Endpoint
from credentials.queries import ScopeQuery
from pipeline import coverage, reports

LOCATION = OpenApiParameter(
    "Location", OpenApiTypes.URI_REF, OpenApiParameter.HEADER, description="The first run.", response=[202]
)


class SyncRequestSerializer(StrictSerializer):
    account = serializers.CharField(
        required=False, max_length=100, help_text="Id or label; all connected accounts if left out."
    )


@method_decorator(never_cache, name="dispatch")
class SyncView(Endpoint):
    """The sync of the user's accounts."""

    @extend_schema(
        operation_id="api_sync_state",
        tags=["sync"],
        responses={200: schema(reports.AccountReports, amounts="text"), **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """How every connected account stands, with its latest run."""
        return Response(plain(reports.accounts(user_id=_user_id(request)), amounts="text"))

    @extend_schema(
        operation_id="api_sync_request",
        tags=["sync"],
        request=SyncRequestSerializer,
        parameters=[LOCATION],
        responses={
            202: schema(reports.RunReports, amounts="text"),
            **problems(400, 401, 404, 409),
        },
    )
    def post(self, request: Request) -> Response:
        """Ask for a sync now. An account that is being synced answers the run under way."""
        account = self.body(SyncRequestSerializer).get("account")
        requested = reports.request(user_id=_user_id(request), account=account, at=clock.now())
        location = reverse("sync-run", args=[requested.results[0].id])
        return Response(
            plain(requested, amounts="text"),
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": location},
        )


@method_decorator(never_cache, name="dispatch")
class SyncRunView(Endpoint):
    """One run."""

    @extend_schema(
        operation_id="api_sync_run",
        tags=["sync"],
        responses={200: schema(reports.RunReport, amounts="text"), **problems(400, 401, 404)},
    )
    def get(self, request: Request, run_id: int) -> Response:
        """What it does, brought and set aside, and why it stopped."""
        return Response(plain(reports.run(user_id=_user_id(request), run_id=run_id), amounts="text"))


@method_decorator(never_cache, name="dispatch")
class CoverageView(Endpoint):
    """What is known of each stream, and what is not."""

    query_serializer = ScopeQuery

    @extend_schema(
        operation_id="api_coverage",
        tags=["sync"],
        parameters=[ScopeQuery],
        responses={200: schema(coverage.Coverage, amounts="text"), **problems(400, 401, 404)},
    )
    def get(self, request: Request) -> Response:
        """From when on each stream of facts is known, what the exchange forgot before it was read, and when it forgets
        what was not read yet. Symbols that were searched and never traded are left out."""
        found = coverage.coverage(user_id=_user_id(request), at=clock.now(), **self.query)
        return Response(plain(found, amounts="text"))


def _user_id(request: Request) -> UUID:
    return cast("User", request.user).id
