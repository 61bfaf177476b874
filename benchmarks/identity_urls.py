"""The project's paths, and one view twice: behind the default authentication and permission, and open to all."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from config.urls import urlpatterns as project
from core.django.views import Endpoint, PublicEndpoint


class KnownView(Endpoint):
    def get(self, request: Request) -> Response:
        return Response({"it": "works"})


class AnybodyView(PublicEndpoint):
    def get(self, request: Request) -> Response:
        return Response({"it": "works"})


urlpatterns = [*project, path("known", KnownView.as_view()), path("anybody", AnybodyView.as_view())]
