"""The audit trail of everybody, to read and to search."""

from abc import abstractmethod
from typing import Any, Final
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.audit import ROW_CHANGES, Action
from accounts.models import AuditLog
from core.django.actors import ActorKind
from core.django.auditing import audited_tables
from web.admin.base import ReadOnlyAdmin

_IDS: Final = ("user_id", "actor_id", "token_id")


class _ChoiceFilter(admin.SimpleListFilter):
    """Equality with one of known values: asking the table for its distinct ones would read all of it."""

    @abstractmethod
    def values(self) -> list[str]:
        """What may be chosen."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value) for value in self.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        return (
            queryset.filter(**{str(self.parameter_name): value})
            if value in self.values()
            else queryset.none()
        )


class ActionFilter(_ChoiceFilter):
    title, parameter_name = "action", "action"

    def values(self) -> list[str]:
        return [*ROW_CHANGES, *sorted(action.value for action in Action)]


class TableFilter(_ChoiceFilter):
    title, parameter_name = "table", "table_name"

    def values(self) -> list[str]:
        return audited_tables()


class ActorKindFilter(_ChoiceFilter):
    title, parameter_name = "actor", "actor_kind"

    def values(self) -> list[str]:
        return [kind.value for kind in ActorKind]


@admin.register(AuditLog)
class AuditLogAdmin(ReadOnlyAdmin[AuditLog]):
    list_display = [
        *("created_at", "action", "table_name", "record_id", "user_id", "actor_kind", "actor_id"),
        *("ip_address", "request_id"),
    ]
    list_filter = [ActionFilter, TableFilter, ActorKindFilter, "created_at"]
    search_fields = ["request_id"]
    search_help_text = "The exact id of a user, an actor, a token, a record or a request."
    ordering = ["-id"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditLog], search_term: str
    ) -> tuple[QuerySet[AuditLog], bool]:
        """Ids, whole: parts of them mean nothing, and an index answers."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(request_id=term) | Q(record_id=term)
        try:
            identity = UUID(term)
        except ValueError:
            return queryset.filter(wanted), False
        for name in _IDS:
            wanted |= Q(**{name: identity})
        return queryset.filter(wanted | Q(record_id=str(identity))), False
