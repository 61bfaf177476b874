"""Having read again what may explain a difference."""

from typing import cast

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core import clock
from core.django.answers import plain, schema
from core.django.schema import problems
from core.django.views import Endpoint
from pipeline import reports
from pipeline.api import LOCATION
from pipeline.rereading import read_again


class ReadAgainView(Endpoint):
    """Reading again what a difference may come from."""

    @extend_schema(
        operation_id="api_reconciliation_read_again",
        tags=["reconciliation"],
        request=None,
        parameters=[LOCATION],
        responses={202: schema(reports.RunReport, amounts="text"), **problems(400, 401, 404, 409)},
    )
    def post(self, request: Request, item_id: int) -> Response:
        """The streams that may hold the missing fact are read from their oldest on, in the background. 409 while they
        are, or the account is, being read already."""
        user_id = cast("User", request.user).id
        run = read_again(user_id=user_id, item_id=item_id, at=clock.now())
        told = plain(reports.run(user_id=user_id, run_id=run.id), amounts="text")
        location = reverse("sync-run", args=[run.id])
        return Response(told, status=status.HTTP_202_ACCEPTED, headers={"Location": location})
