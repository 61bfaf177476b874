"""What every list of the admin shares."""

from typing import Any, TypeVar, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import connection, models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

_M = TypeVar("_M", bound=models.Model)


class EstimatingPaginator(Paginator[Any]):
    """Counts unfiltered tables by the planner's estimate: a COUNT over a history takes seconds."""

    _MANY = 10_000

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        query = rows.query
        if not query.where:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass",
                    [rows.model._meta.db_table],
                )
                estimate: int = cursor.fetchone()[0]
            if estimate > self._MANY:
                return estimate
        return rows.count()


class ReadOnlyAdmin(admin.ModelAdmin[_M]):
    """Facts and what follows from them: looked at, never edited here."""

    paginator = EstimatingPaginator
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
