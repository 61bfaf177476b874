"""The way to the workers. It only carries hints: when the broker is down, the next dispatch finds the work itself."""

import logging
import threading
from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

from celery import Celery, Task
from kombu.exceptions import OperationalError

from core.django import actors
from core.django.actors import Actor, ActorKind

logger = logging.getLogger(__name__)

INTERACTIVE: Final = "interactive"  # somebody waits
SYNC: Final = "sync"
MARKET: Final = "market"
SYNC_TASK: Final = "pipeline.sync_accounts"
CHECK_TASK: Final = "pipeline.check_keys"
LIVE_TASK: Final = "pipeline.read_live"
EXPORT_TASK: Final = "pipeline.write_exports"


class ActingTask(Task[Any, Any]):
    """What a task does is done by a worker, for the audit trail and the logs; the request is the task's id."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        actor = Actor(kind=ActorKind.WORKER, request_id=self.request.id or uuid4().hex)
        with actors.acting(actor):
            return self.run(*args, **kwargs)


app = Celery("crypto_graph_trader", task_cls=ActingTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_default_queue=SYNC,
    task_create_missing_queues=True,
    imports=("pipeline.tasks",),
    broker_transport_options={"socket_connect_timeout": 1, "socket_timeout": 30},
)


def hint(task: str, arguments: Sequence[object], *, queue: str, expires: int = 60) -> bool:
    """Tell a worker of work that lies in rows; answers whether the broker took it. `expires`: seconds after which
    nobody need look any more."""
    try:
        app.send_task(task, args=list(arguments), queue=queue, retry=False, expires=expires)
    except (OperationalError, OSError) as error:
        logger.warning("The broker took no hint of %s: %s", task, type(error).__name__)
        return False
    return True


def hint_soon(task: str, arguments: Sequence[object], *, queue: str) -> None:
    """Like `hint`, without waiting: a dead broker is found out only after seconds, and somebody waits for a page."""
    threading.Thread(target=hint, args=(task, arguments), kwargs={"queue": queue}, daemon=True).start()
