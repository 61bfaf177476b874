"""Whether this process lives, and whether it can serve. For probes: no token, no word about the inside."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.django import problems, roles
from core.django.schema import problems as problem_responses
from core.django.views import PublicEndpoint

logger = logging.getLogger(__name__)
_REDIS_SECONDS: Final = 2


class MigrationsMissing(RuntimeError):
    """The database is older than the code."""


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()


@method_decorator(never_cache, name="dispatch")
class LiveView(PublicEndpoint):
    """The process answers; nothing else is asked."""

    is_counted = False

    @extend_schema(tags=["health"], responses={200: HealthSerializer})
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


@method_decorator(never_cache, name="dispatch")
class ReadyView(PublicEndpoint):
    """Database (with the role that row-level security binds), migrations and broker are as they must be."""

    is_counted = False

    @extend_schema(tags=["health"], responses={200: HealthSerializer, **problem_responses(503)})
    def get(self, request: Request) -> Response:
        failed = failures()
        if not failed:
            return Response({"status": "ok"})
        problem = problems.document(503, "not_ready", f"Not ready: {', '.join(failed)}.", failed=failed)
        return Response(problem, status=503, content_type=problems.CONTENT_TYPE)


def failures() -> list[str]:
    """The names of the checks that fail now; the reasons are in the log."""
    return [name for name, check in _CHECKS.items() if not _passes(name, check)]


def _passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except (DatabaseError, redis.RedisError, roles.WrongRole, MigrationsMissing) as error:
        logger.warning("Not ready: %s: %s", name, type(error).__name__)
        return False
    return True


def _check_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise MigrationsMissing


def _check_broker() -> None:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS
    ) as client:
        client.ping()


_CHECKS: Final[Mapping[str, Callable[[], None]]] = {
    "database": roles.verify,
    "migrations": _check_migrations,
    "broker": _check_broker,
}
