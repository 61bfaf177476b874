"""What the dispatcher costs while very many accounts are due at once.

`python -m benchmarks.dispatch [--accounts N]` prints one JSON line per measurement. CPU is this process's and that of
its PostgreSQL backend together. A round is what beat asks for every few seconds: it claims `DISPATCHED` accounts, while
all the others go on being due; "everybody" are all rounds until nobody is left. Target: ≤ 5 s CPU a round; measured
0.4 s with 100,000 accounts due, the load of all exchanges worked out within it.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.database import prepared

STREAMS = (
    "permissions",
    "balances",
    "open_orders",
    "deposits",
    "withdrawals",
    "discovery",
    "recheck",
    "fills",
)

_USERS = """
INSERT INTO accounts_user
  (id, password, is_superuser, email, name, is_deleted, is_verified, is_staff, is_active, pending_email,
   reporting_currency, cost_method, created_at, updated_at, seen_at)
SELECT gen_random_uuid(), '', false, 'dispatch-' || n || '@example.com', '', false, true, false, true, '', 'USDT',
       'average', %(now)s, %(now)s, %(now)s::timestamptz - random() * interval '1 day'
FROM generate_series(1, %(count)s) AS n
"""
_ACCOUNTS = """
INSERT INTO credentials_exchangeaccount
  (id, user_id, exchange, mode, label, exchange_uid, is_active, key_state, key_note, permissions, account_type,
   created_at, updated_at)
SELECT gen_random_uuid(), id, 'binance', 'live', 'Main', '', true, 'good', '', '[]', '', %(now)s, %(now)s
FROM accounts_user WHERE email LIKE 'dispatch-%%'
"""
_CURSORS = """
INSERT INTO pipeline_synccursor
  (user_id, account_id, stream, scope, position, state, due_at, row_count, last_ok_at, error_kind, error_detail,
   error_count)
SELECT user_id, id, stream, '', '', 'incremental', %(now)s::timestamptz - random() * interval '1 hour', 0,
       %(now)s::timestamptz - interval '2 hours', '', '', 0
FROM credentials_exchangeaccount, unnest(%(streams)s::text[]) AS stream
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds."""

    wall: float
    cpu: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=100_000)
    options = parser.parse_args(arguments)
    with prepared():
        _measure(options.accounts)


def _measure(count: int) -> None:
    from core import clock
    from pipeline import dispatch, tasks

    at = clock.now()
    _fill(count, at)
    claimed, first = _cost(lambda: dispatch.claim_due_accounts(tasks.DISPATCHED, at=at))
    _report("a round", accounts=count, claimed=len(claimed), cost=first, target="<= 5 s CPU")
    rounds, left = 1, len(claimed)
    total = first
    while left:
        claimed, cost = _cost(lambda: dispatch.claim_due_accounts(tasks.DISPATCHED, at=at))
        left, rounds = len(claimed), rounds + 1
        total = Cost(total.wall + cost.wall, total.cpu + cost.cpu)
    _report("everybody", accounts=count, rounds=rounds, cost=total)
    _, idle = _cost(lambda: dispatch.claim_due_accounts(tasks.DISPATCHED, at=at))
    _report("a round with nobody due", accounts=count, cost=idle)


def _fill(count: int, at: Any) -> None:
    """As the tables' owner: no user of ours writes a hundred thousand people's rows."""
    from django.db import connection, transaction

    values = {"now": at, "count": count, "streams": list(STREAMS)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('role', session_user, true)")
        for statement in (_USERS, _ACCOUNTS, _CURSORS):
            cursor.execute(statement, values)
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        for table in (
            "accounts_user",
            "credentials_exchangeaccount",
            "pipeline_synccursor",
            "pipeline_syncrun",
        ):
            cursor.execute(f"ANALYZE {table}")  # autovacuum would have by then


def _cost(work: Any) -> tuple[Any, Cost]:
    from django.db import connection

    connection.ensure_connection()
    backend = Path(f"/proc/{connection.connection.info.backend_pid}/stat")
    before = _cpu(backend), time.process_time(), time.perf_counter()
    answer = work()
    after = _cpu(backend), time.process_time(), time.perf_counter()
    return answer, Cost(after[2] - before[2], after[0] - before[0] + after[1] - before[1])


def _cpu(stat: Path) -> float:
    """User and system seconds of a process."""
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _report(what: str, *, cost: Cost, **figures: object) -> None:
    line = {"measurement": f"dispatch: {what}", **figures}
    print(json.dumps({**line, "seconds": round(cost.wall, 3), "cpu_seconds": round(cost.cpu, 3)}), flush=True)


if __name__ == "__main__":
    main()
