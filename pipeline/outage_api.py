"""Telling what cannot be asked for now."""

from typing import cast

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core import clock
from core.django.answers import plain, schema
from core.django.schema import problems
from core.django.views import Endpoint
from pipeline.connectivity import Connectivity, connectivity


@method_decorator(never_cache, name="dispatch")
class ConnectivityView(Endpoint):
    """Outages and pauses."""

    @extend_schema(
        operation_id="api_connectivity",
        tags=["sync"],
        responses={200: schema(Connectivity, amounts="text"), **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Whether the network, the user's exchanges and accounts can be asked now; if not, since when, why, and when
        it is tried again; and how old what is known has become."""
        found = connectivity(user_id=cast("User", request.user).id, at=clock.now())
        return Response(plain(found, amounts="text"))
