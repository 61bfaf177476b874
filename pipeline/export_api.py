"""Files of one's rows: asked for, watched, downloaded, deleted."""

from typing import cast
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.permissions import RecentLogIn, TokenScope
from core import clock
from core.django.answers import plain, schema
from core.django.rendering import ExactJSONRenderer
from core.django.schema import problems
from core.django.serializers import QuerySerializer, StrictSerializer
from core.django.views import Endpoint
from credentials.models import Exchange, Mode
from pipeline import exports
from pipeline.models import ExportFormat, ExportKind

_REPORT = schema(exports.ExportReport, amounts="text")
_LOCATION = OpenApiParameter(
    "Location", OpenApiTypes.URI_REF, OpenApiParameter.HEADER, description="The export.", response=[202]
)
_ETAG = OpenApiParameter(
    "ETag", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The file's SHA-256.", response=[200]
)


class ExportsQuery(QuerySerializer):
    limit = serializers.IntegerField(min_value=1, max_value=exports.MOST_LISTED, default=50)
    cursor = serializers.CharField(
        required=False, max_length=80, help_text="`next_cursor` of the page before."
    )


class ExportRequestSerializer(StrictSerializer):
    kind = serializers.ChoiceField(ExportKind.choices)
    format = serializers.ChoiceField(ExportFormat.choices)
    account = serializers.CharField(
        required=False, max_length=100, help_text="Id or label; all of the exchange and mode if left out."
    )
    exchange = serializers.ChoiceField(Exchange.choices, required=False)
    mode = serializers.ChoiceField(Mode.choices, required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False, help_text="Exclusive.")


class _CsvRenderer(ExactJSONRenderer):
    """Lets `Accept: text/csv` pass; problems are JSON all the same."""

    media_type = "text/csv"
    format = "csv"


class _LinesRenderer(ExactJSONRenderer):
    media_type = "application/x-ndjson"
    format = "jsonl"


@method_decorator(never_cache, name="dispatch")
class ExportsView(Endpoint):
    """One's exports."""

    query_serializer = ExportsQuery

    def get_permissions(self) -> list[BasePermission]:
        """Asking for a file needs a fresh log-in."""
        asks = self.request is not None and self.request.method == "POST"
        return [RecentLogIn() if asks else TokenScope()]

    @extend_schema(
        operation_id="api_exports",
        tags=["exports"],
        parameters=[ExportsQuery],
        responses={200: schema(exports.ExportReports, amounts="text"), **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Newest first; `next_cursor` is null on the last page."""
        return Response(plain(exports.page(user_id=_user_id(request), **self.query), amounts="text"))

    @extend_schema(
        operation_id="api_export_request",
        tags=["exports"],
        request=ExportRequestSerializer,
        parameters=[_LOCATION],
        responses={202: _REPORT, **problems(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request) -> Response:
        """Ask for a file, which is written in the background. The same request again, before that is done, answers the
        same export. `complete` holds all facts of the accounts, as `jsonl`, for `manage.py import_export`."""
        asked = exports.Asked(**self.body(ExportRequestSerializer))
        made = exports.request(user_id=_user_id(request), asked=asked, at=clock.now())
        return Response(
            plain(made, amounts="text"),
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": reverse("export", args=[made.id])},
        )


@method_decorator(never_cache, name="dispatch")
class ExportView(Endpoint):
    """One export."""

    @extend_schema(
        operation_id="api_export",
        tags=["exports"],
        responses={200: _REPORT, **problems(400, 401, 404)},
    )
    def get(self, request: Request, export_id: int) -> Response:
        """How far it is; once it is `ready`, its size, rows and digest."""
        return Response(plain(exports.show(user_id=_user_id(request), export_id=export_id), amounts="text"))

    @extend_schema(
        operation_id="api_export_delete",
        tags=["exports"],
        responses={204: None, **problems(400, 401, 403, 404, 409)},
    )
    def delete(self, request: Request, export_id: int) -> Response:
        """Throw the file away now, or do not write it."""
        exports.delete(user_id=_user_id(request), export_id=export_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ExportDownloadView(Endpoint):
    """The file of an export."""

    permission_classes = (RecentLogIn,)
    renderer_classes: tuple[type[BaseRenderer], ...] = (ExactJSONRenderer, _CsvRenderer, _LinesRenderer)

    @extend_schema(
        operation_id="api_export_download",
        tags=["exports"],
        parameters=[_ETAG],
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, "application/x-ndjson"): OpenApiTypes.BINARY,
            **problems(400, 401, 403, 404, 409),
        },
    )
    def get(self, request: Request, export_id: int) -> HttpResponse | StreamingHttpResponse:
        """As it was written. Needs a fresh log-in, as asking for it does."""
        return attachment(exports.download(user_id=_user_id(request), export_id=export_id))


def attachment(file: exports.File) -> StreamingHttpResponse:
    """The answer that browsers save, and nobody keeps on the way."""
    report = file.report
    return StreamingHttpResponse(
        file.content,
        content_type=file.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{report.file_name}"',
            "Content-Length": str(report.size),
            "ETag": f'"{report.sha256}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _user_id(request: Request) -> UUID:
    return cast("User", request.user).id
