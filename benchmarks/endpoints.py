"""What users look at most, over one long history: p99, pages at any depth, and the rate against SQL written by hand.

`python -m benchmarks.endpoints [--trades N] [--days N] [--rounds N]` prints one JSON line per endpoint: trades (a page
of 100), the equity curve (a year), metrics and the snapshot. Requests go through the whole stack in process, each in a
transaction of its own, in wall time. `ratio` is our rate by that of a view with the same authentication and the same
door that has PostgreSQL make the JSON (`json_agg`), of the rows alone: it tells no grade, no age, no version and no
drawdown; sides take turns in blocks, each given by the mean of its best one. `first` is ours when the answer is not
kept yet, `ratio_first` the same ratio for that. Targets: ratio >= 0.65; any page within 1.5 x the first.

A small history is folded from fills; its trades are then multiplied in SQL, spread over the days.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from benchmarks.database import prepared
from benchmarks.engine import SHAPES, make_fills
from benchmarks.identity import PASSWORD, take_turns, without_limits

BLOCK: Final = 25  # requests
FILLS: Final = 4_000
PAGE: Final = 100
ASKED: Final = {
    "trades": f"/api/trades/history?period=1y&limit={PAGE}",
    "curve": "/api/portfolio/equity-curve?period=1y",
    "metrics": "/api/performance/metrics?period=all_time",
    "snapshot": "/api/portfolio/snapshot",
}
_KEYS: Final = """
SELECT quote_ident(conname),
  'ALTER TABLE portfolio_trade ADD CONSTRAINT ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE conrelid = 'portfolio_trade'::regclass AND contype = 'f'
"""
_INDEXES: Final = """
SELECT quote_ident(c.relname), pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = 'portfolio_trade'::regclass
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)
"""
_MULTIPLY: Final = """
WITH t AS (SELECT *, row_number() OVER (ORDER BY id) - 1 AS n FROM portfolio_trade WHERE kind = 'TRADE'),
  p AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM portfolio_position ORDER BY id LIMIT %(positions)s),
  f AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM orders_fill ORDER BY id LIMIT %(fills)s)
INSERT INTO portfolio_trade ({columns})
SELECT {values} FROM (
  SELECT p.id AS position_id, f.id AS fill_id, p.n * %(fills)s + f.n AS place FROM p CROSS JOIN f
) x JOIN t ON t.n = x.place %% (SELECT count(*) FROM t)
WHERE x.place < %(trades)s
ON CONFLICT DO NOTHING
"""
_PLACED: Final = {
    "position_id": "x.position_id",
    "first_exit_fill_id": "x.fill_id",
    "entry_time": "%(end)s - %(span)s * (x.place / %(trades)s::float8) - interval '1 hour'",
    "exit_time": "%(end)s - %(span)s * (x.place / %(trades)s::float8)",
    "hold_duration": "interval '1 hour'",
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trades", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=6)
    asked = parser.parse_args(arguments)
    with prepared("endpoints"):
        from django.test import override_settings

        without_limits()
        client = _trader(asked.trades, asked.days)
        with override_settings(ROOT_URLCONF="benchmarks.endpoint_urls"):
            for name, path in ASKED.items():
                _measure(client, name, path, asked.rounds)
            _depth(client, asked.days, asked.rounds)


def _trader(trades: int, days: int) -> Any:
    """A client of a user with one account, whose history is that long; everything is drawn."""
    from rest_framework.test import APIClient

    from accounts import sessions
    from accounts.models import User
    from benchmarks import accounts
    from core import clock
    from portfolio import metrics, rebuild

    started = time.perf_counter()
    account = accounts.create(make_fills(FILLS, 1, SHAPES[-1]), label="endpoints")
    at = clock.now()
    rebuild.rebuild_account(user_id=account.user_id, account_id=account.id, at=at)
    stored = _multiply(account, trades, days)
    _snapshots(account, days)
    _vacuum()
    metrics.refresh(user_id=account.user_id, at=at, from_zero=True)
    _vacuum()
    _print("history", trades=stored, days=days, seconds=time.perf_counter() - started)
    user = User.objects.get(id=account.user_id)
    user.set_password(PASSWORD)
    user.save()
    tokens = sessions.log_in(email=user.email, password=PASSWORD, at=clock.now())
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {tokens.access_token}")


def _multiply(account: Any, trades: int, days: int) -> int:
    from django.db import connection

    from core import clock
    from core.django import tenancy
    from portfolio.models import Position, Trade

    names = [field.attname for field in Trade._meta.concrete_fields if field.attname != "id"]
    values = [_PLACED.get(name, f"t.{name}") for name in names]
    statement = _MULTIPLY.format(columns=", ".join(names), values=", ".join(values))
    with tenancy.acting_as(account.user_id), connection.cursor() as cursor:
        positions = Position.objects.count()
        scope: dict[str, Any] = {
            "positions": positions, "fills": min(FILLS, -(-trades // positions)), "trades": trades,
            "end": clock.now() - timedelta(minutes=1), "span": timedelta(days=days),
        }  # fmt: skip
        with _without_indexes(cursor):
            cursor.execute(statement, scope)
        return Trade.objects.count()


@contextmanager
def _without_indexes(cursor: Any) -> Iterator[None]:
    """Trades without foreign keys and further indexes, which come back at once after so large a load."""
    cursor.execute("RESET ROLE")
    made = []
    for drop, listed in (("ALTER TABLE portfolio_trade DROP CONSTRAINT", _KEYS), ("DROP INDEX", _INDEXES)):
        cursor.execute(listed)
        for name, definition in cursor.fetchall():
            cursor.execute(f"{drop} {name}")
            made.append(definition)
    cursor.execute("SET ROLE cgt_app")
    yield
    cursor.execute("RESET ROLE")
    for definition in made:
        cursor.execute(definition)
    cursor.execute("SET ROLE cgt_app")


def _snapshots(account: Any, days: int) -> None:
    """A balance that goes up and down, with a deposit now and then."""
    import random

    from core import clock
    from core.django import tenancy
    from portfolio.models import AssetSnapshot, PortfolioSnapshot

    rng, total, at = random.Random(1), Decimal(10_000), clock.now()
    rows = []
    for number in range(days, -1, -1):
        flow = Decimal(500) if number % 90 == 0 else Decimal(0)
        total = ((total + flow) * (1 + Decimal(rng.gauss(0.0004, 0.01)))).quantize(Decimal("1e-8"))
        rows.append(_snapshot(account, clock.utc_day(at) - timedelta(days=number), total, flow, at))
    with tenancy.acting_as(account.user_id):
        PortfolioSnapshot.objects.bulk_create(rows)
        AssetSnapshot.objects.bulk_create(
            AssetSnapshot(
                user_id=account.user_id, account=account, snapshot=rows[-1], asset=asset, quantity=Decimal(2),
                price=total / 10, price_source="benchmark", value=total / 5,
            )
            for asset in ("BTC", "ETH", "BNB", "SOL", "USDT")
        )  # fmt: skip


def _snapshot(account: Any, day: Any, total: Decimal, flow: Decimal, at: Any) -> Any:
    from portfolio.models import Grade, PortfolioSnapshot

    zero = Decimal(0)
    return PortfolioSnapshot(
        user_id=account.user_id, account=account, exchange=account.exchange, snapshot_date=day, currency="USDT",
        total_balance=total, total_positions_value=total / 2, unrealized_pnl=zero, open_positions_count=1,
        realized_pnl=total / 1000, gross_pnl=total / 1000, fees=zero, flows=flow, unexplained=zero, revaluation=zero,
        residual=zero, total_realized_pnl=total, total_trades_count=1, winning_trades_count=1, losing_trades_count=0,
        total_fees_paid=zero, is_reconstructed=False, is_final=True, grade=Grade.COMPLETE, engine_version=1,
        computed_at=at,
    )  # fmt: skip


def _vacuum() -> None:
    """As autovacuum leaves tables soon after such a load."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SET ROLE cgt_app")


def _measure(client: Any, name: str, path: str, rounds: int) -> None:
    seconds: list[float] = []

    def ask() -> None:
        begun = time.perf_counter()
        _get(client, path)
        seconds.append(time.perf_counter() - begun)

    ours, theirs, first = take_turns(
        lambda: _mean(ask),
        lambda: _mean(lambda: _get(client, f"/by-hand/{name}")),
        lambda: _first(client, path),
        rounds=rounds,
    )
    tail = sorted(seconds[BLOCK:])
    _print(
        name,
        milliseconds=ours * 1000, p99=tail[int(len(tail) * 0.99)] * 1000, by_hand=theirs * 1000, ratio=theirs / ours,
        first=first * 1000, ratio_first=theirs / first, target=">= 0.65",
    )  # fmt: skip


def _first(client: Any, path: str) -> float:
    """Mean seconds of requests that nothing is kept for."""
    from django.conf import settings
    from redis import Redis

    seconds = 0.0
    with Redis.from_url(settings.REDIS_URL) as redis:
        for _ in range(BLOCK):
            for key in redis.scan_iter("kept:*"):
                redis.delete(key)
            started = time.perf_counter()
            _get(client, path)
            seconds += time.perf_counter() - started
    return seconds / BLOCK


def _depth(client: Any, days: int, rounds: int) -> None:
    """Pages of all time after so much of the history, none of them kept, beside the newest one."""
    from core import clock
    from core.django.cursors import Place

    newest = ASKED["trades"].replace("1y", "all_time")
    for share in (0.5, 0.99):
        cursor = Place(clock.now() - share * timedelta(days=days), 0).text()
        first, deep = take_turns(
            lambda: _first(client, newest),
            lambda path=f"{newest}&cursor={cursor}": _first(client, path),  # type: ignore[misc]
            rounds=rounds,
        )
        _print(
            "page", after=share, milliseconds=deep * 1000, newest=first * 1000, ratio=deep / first, target="<= 1.5"
        )  # fmt: skip


def _get(client: Any, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return answer


def _mean(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(BLOCK):
        work()
    return (time.perf_counter() - started) / BLOCK


def _print(what: str, **figures: object) -> None:
    rounded = {
        name: round(value, 3) if isinstance(value, float) else value for name, value in figures.items()
    }
    print(json.dumps({"measure": what, **rounded}), flush=True)


if __name__ == "__main__":
    main()
