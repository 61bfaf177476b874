"""The OpenAPI document and its readable page."""

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.authentication import SessionTokenAuthentication


class SessionTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """How the document calls our tokens."""

    target_class = SessionTokenAuthentication
    name = "accessToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class SchemaView(SpectacularAPIView):
    """OpenAPI, generated from the code."""

    authentication_classes = ()


# Swagger UI writes its styles into the page; scripts stay those of this server, in files of their own.
@method_decorator(csp_update({"style-src": [UNSAFE_INLINE]}), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """The document to read and to try, by Swagger UI from this server."""

    authentication_classes = ()
    url_name = "schema"
