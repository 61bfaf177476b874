"""Request-wide doors."""

from collections.abc import Callable
from http import HTTPStatus

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from core.django import tenancy


class AdminDoor:
    """Operators' pages see all owners' rows, and only they: the admin runs inside the system door."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_admin = request.path.startswith(reverse("admin:index"))
        if not is_admin or not admin.site.has_permission(request):
            return self.get_response(request)
        with tenancy.as_system("admin"):
            response = self.get_response(request)
            if (
                response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
            ):  # Django made a page of the error: undo it
                transaction.set_rollback(True)
            return response
