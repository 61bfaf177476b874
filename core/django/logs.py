"""Log lines for people (`line`) or for collectors (`json`), each with the request or task that wrote it."""

import logging
from typing import Any, Literal

from core.django import actors
from core.django.actors import ActorKind

_MEMBERS = ["levelname", "name", "message"]
_NAMES = {"levelname": "level", "name": "logger"}


class ActorFilter(logging.Filter):
    """Adds who acts: the request's or task's id, the user, what kind of actor."""

    def filter(self, record: logging.LogRecord) -> bool:
        actor = actors.current()
        record.request_id = actor.request_id
        if actor.user_id is not None:
            record.user_id = str(actor.user_id)
        if actor.kind is not ActorKind.UNKNOWN:
            record.actor_kind = actor.kind.value
        return True


def config(*, level: str, lines: Literal["line", "json"]) -> dict[str, Any]:
    """Django's LOGGING: everything goes to standard error, redacted; nothing is mailed."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "actor": {"()": "core.django.logs.ActorFilter"},
            "redaction": {"()": "core.django.redaction.RedactingFilter"},
        },
        "formatters": {
            "line": {"format": "{asctime} {levelname} {name} [{request_id}]: {message}", "style": "{"},
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": _MEMBERS,
                "rename_fields": _NAMES,
                "timestamp": "time",
                "json_ensure_ascii": False,
            },
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": lines,
                "filters": ["actor", "redaction"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django's own set-up would mail errors, and write them twice.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # Refused requests have their line in the access log, with who asked.
            "django.request": {"level": "ERROR"},
        },
    }
