"""The OpenAPI document and its readable page."""

from functools import cache
from typing import Any

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.authentication import BearerAuthentication
from accounts.permissions import takes_api_tokens
from core.django.serializers import StrictSerializer


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """How the document calls our tokens, and which of them an operation takes."""

    target_class = BearerAuthentication
    name = ["accessToken", "apiToken"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        takes_both = takes_api_tokens(auto_schema.view, auto_schema.method)
        return [{"accessToken": []}, {"apiToken": []}] if takes_both else [{"accessToken": []}]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "Of a session, by `POST /auth/login`.",
            },
            {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "cgt_…",
                "description": "Of a program, by `POST /auth/api-tokens`: it may read, or read and trade.",
            },
        ]


class StrictBody(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # registers itself
    """Members that a body does not name are refused; those of answers that may come back are taken and ignored."""

    target_class = StrictSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(  # type: ignore[no-untyped-call]
            self.target, direction, bypass_extensions=True
        )
        sent_back = {name: {"description": "Ignored."} for name in sorted(self.target.ignored)}
        return {
            **schema,
            "properties": {**sent_back, **schema.get("properties", {})},
            "additionalProperties": False,
        }


@cache
def document() -> dict[str, Any]:
    """The same for everybody, so it is made once in a process: that takes a third of a second."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    made: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


class _Kept(SchemaGenerator):
    def get_schema(self, request: object = None, public: bool = False) -> dict[str, Any]:
        return document()


class SchemaView(SpectacularAPIView):
    """OpenAPI, generated from the code."""

    authentication_classes = ()
    generator_class = _Kept


# Swagger UI writes its styles into the page; scripts stay those of this server, in files of their own.
@method_decorator(csp_update({"style-src": [UNSAFE_INLINE]}), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """The document to read and to try, by Swagger UI from this server."""

    authentication_classes = ()
    url_name = "schema"
