"""Workers and beat: `celery -A config.celery worker`, `celery -A config.celery beat`.

Two beats or two workers too many do no harm: work lies in rows, tasks only say where to look.
"""

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("PROCESS_KIND", "worker")

from celery.signals import beat_init, worker_init
from django.db import connection
from kombu import Exchange, Queue

from core.django import roles
from pipeline import broker

app = broker.app

_LOCAL = Path(__file__).resolve().parent.parent / ".local"
_STATE_HOME = _LOCAL if os.access(_LOCAL, os.W_OK) else Path(tempfile.gettempdir())


def _every(task: str, queue: str, *, expires: float | None = None, **interval: float) -> dict[str, Any]:
    """A beat entry; a hint that waited for its whole interval is dropped, as the next one says the same."""
    pace = timedelta(**interval)
    return {
        "task": task,
        "schedule": pace,
        "options": {"queue": queue, "expires": expires or pace.total_seconds()},
    }


app.conf.update(
    task_queues=[
        Queue(name, Exchange(name), routing_key=name)
        for name in (broker.INTERACTIVE, broker.SYNC, broker.MARKET)
    ],
    task_routes={broker.SYNC_TASK: {"queue": broker.SYNC}},
    beat_schedule_filename=str(_STATE_HOME / "celery-beat"),
    beat_schedule={
        "dispatch": _every("pipeline.dispatch", broker.INTERACTIVE, seconds=5),
        "outages": _every("pipeline.watch_exchanges", broker.INTERACTIVE, seconds=5),
        "prices": _every("pipeline.refresh_prices", broker.MARKET, seconds=30),
        "stale books": _every("pipeline.rebuild_stale", broker.SYNC, seconds=30),
        "books that wait for a price": {
            **_every("pipeline.rebuild_stale", broker.SYNC, minutes=5),
            "kwargs": {"waiting": True},
        },
        "excursions": _every("pipeline.measure_excursions", broker.MARKET, minutes=2),
        "exports": _every(broker.EXPORT_TASK, broker.SYNC, seconds=30),
        "snapshots": _every("pipeline.daily_snapshots", broker.SYNC, minutes=10),
        "daily candles": _every("pipeline.refresh_daily_candles", broker.MARKET, hours=1),
        "listings": _every("pipeline.refresh_listings", broker.MARKET, hours=1),
        "ended sessions": _every("pipeline.sweep_sessions", broker.SYNC, hours=1),
    },
)


@worker_init.connect
@beat_init.connect
def _verify_role(**_: object) -> None:
    """Refuse to start where row-level security would not hold. Signals swallow errors, but not an exit."""
    try:
        roles.verify()
    except roles.WrongRole as error:
        raise SystemExit(str(error)) from None
    finally:
        connection.close()  # the worker forks: no child may inherit it
