"""The base of every API view."""

from typing import Any, ClassVar

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.django import actors, rate_limits
from core.django.serializers import QuerySerializer, StrictSerializer


class Endpoint(APIView):
    """Reads its query parameters before it answers: `query_serializer` names them, others are refused with 400."""

    query_serializer: ClassVar[type[QuerySerializer]] = QuerySerializer
    is_counted: ClassVar[bool] = True  # against the rate limits
    query: dict[str, Any]

    def perform_authentication(self, request: Request) -> None:
        """Count the request once it is known who asks; where that fails, it is the address's."""
        try:
            super().perform_authentication(request)
        finally:
            if self.is_counted:
                rate_limits.consume_for(request._request, actors.current().user_id)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.query = self.query_serializer.read(request)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Answers are one person's: nobody keeps them, unless the view says otherwise."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def body(self, serializer: type[StrictSerializer]) -> dict[str, Any]:
        """The validated body. Raises ValidationError."""
        body = serializer(data=self.request.data, context={"is_json": True})
        body.is_valid(raise_exception=True)
        values: dict[str, Any] = body.validated_data
        return values


class PublicEndpoint(Endpoint):
    """Answers without a token, and does not look at one."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
