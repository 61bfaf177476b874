"""Users, whom operators may change in part, and their sessions."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.forms import ReadOnlyPasswordHashField
from django.http import HttpRequest

from accounts.models import Session, User
from web.admin.base import ReadOnlyAdmin


class _UserForm(forms.ModelForm[User]):
    password = ReadOnlyPasswordHashField(
        help_text="Hashes cannot be read back; users set passwords themselves."
    )

    class Meta:
        model = User
        fields: ClassVar = [
            "email",
            "name",
            "password",
            "is_active",
            "is_verified",
            "is_staff",
            "is_superuser",
        ]


@admin.register(User)
class UserAdmin(admin.ModelAdmin[User]):
    form = _UserForm
    list_display = ["email", "name", "is_active", "is_verified", "is_staff", "seen_at", "created_at"]
    list_filter = ["is_active", "is_verified", "is_staff", "is_deleted"]
    search_fields = ["email", "name"]
    readonly_fields = [
        "is_deleted",
        "reporting_currency",
        "cost_method",
        "cost_scope",
        "seen_at",
        "created_at",
        "last_login",
    ]
    fields = [
        *("email", "name", "password", "is_active", "is_verified", "is_staff", "is_superuser"),
        *(
            "is_deleted",
            "reporting_currency",
            "cost_method",
            "cost_scope",
            "seen_at",
            "created_at",
            "last_login",
        ),
    ]
    ordering = ["email"]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Filtering by the hash, letter by letter, would read it."""
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only a superuser makes operators and superusers."""
        fields = list(super().get_readonly_fields(request, obj))
        is_superuser = getattr(request.user, "is_superuser", False)
        return fields if is_superuser else [*fields, "is_staff", "is_superuser"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # sign-up, or manage.py createsuperuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # users are soft-deleted; their facts stay


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin[Session]):
    list_display = ["id", "user", "created_at", "expires_at", "revoked_at", "revoked_reason"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    ordering = ["-created_at"]
