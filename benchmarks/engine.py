"""The accounting engine against a plain `Decimal` deque loop over the same fills.

`python -m benchmarks.engine [--fills N] [--seed N] [--rounds N]` prints one JSON line per history and method. The loop
is the least a FIFO can do: each sale's profit, no fees, allocations, trades, positions or days; the engine runs with
everything on and its rows are dropped. `ratio` compares fills per second of CPU time, loop and engine taking turns,
best of all rounds; `ratio_from_fills` includes turning fills into events. `ratio_full_loop` compares with a `Decimal`
loop that answers what a user asks: each sale's net PnL after its share of fees, and which entries it consumed, rounded
as it goes. `differences` counts sales whose realised PnL differs in any digit from an independent integer reference.

Histories: `maker` holds an inventory for long and sells it lot by lot in orders of several fills; `swing` is flat every
few orders, so that most of the work is making rows of positions and trades.
"""

import argparse
import gc
import json
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from benchmarks.references import average_reference, decimal_fifo, decimal_fifo_with_fees, fifo_reference
from core import money
from portfolio.accounting import engine, events
from portfolio.accounting.results import Allocation, AllocationRow, Position, Sink, State, Trade

PRICE_PLACES = 2
QUANTITY_PLACES = 5
CASH = frozenset({"USDT"})
REFERENCES = {"fifo": fifo_reference, "average": average_reference}


class Shape(NamedTuple):
    """How an account trades: fills an order at most, and after how many orders it sells everything."""

    name: str
    parts: int
    orders_before_flat: int


SHAPES = (Shape("maker", 5, 2000), Shape("swing", 2, 8))


def make_fills(count: int, seed: int, shape: Shape) -> Iterator[events.Fill]:
    """Orders over a random walk of price, 0.1 % fee in the quote coin."""
    rng = random.Random(seed)
    price, held, now, order, made = 2_000_000, 0, 1_700_000_000_000, 0, 0
    while made < count:
        order += 1
        price = max(1000, price + rng.randrange(-900, 901))
        goes_flat = order % shape.orders_before_flat == 0
        is_buy = held == 0 or (not goes_flat and rng.random() < 0.5)
        size = held if goes_flat and not is_buy else rng.randrange(10, 500_000)
        size = size if is_buy else min(size, held)
        for part in _cut(rng, size, shape.parts)[: count - made]:
            made += 1
            now += rng.randrange(1, 60_000)
            held += part if is_buy else -part
            yield _fill(made, order, is_buy=is_buy, price=price, quantity=part, now=now)


def _cut(rng: random.Random, size: int, parts: int) -> list[int]:
    """A size in up to `parts` parts."""
    cuts = sorted(rng.sample(range(1, size), min(rng.randrange(parts), size - 1))) if size > 1 else []
    return [end - start for start, end in zip([0, *cuts], [*cuts, size], strict=True)]


def _fill(number: int, order: int, *, is_buy: bool, price: int, quantity: int, now: int) -> events.Fill:
    paid = price * quantity * 10 ** (money.PLACES - PRICE_PLACES - QUANTITY_PLACES)
    return events.Fill(
        fill_id=str(number),
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        side="BUY" if is_buy else "SELL",
        price=price * 10 ** (money.PLACES - PRICE_PLACES),
        quantity=quantity * 10 ** (money.PLACES - QUANTITY_PLACES),
        quote_quantity=paid,
        fee_amount=paid // 1000,
        fee_currency="USDT",
        executed_ms=now,
        order_id=str(order),
    )


def book_events(fills: Iterable[events.Fill]) -> Iterator[events.Event]:
    for fill in fills:
        yield from events.from_fill(fill, asset="BTC", cash=CASH, quote_price=money.UNIT)


def dropping_sink() -> Sink:
    """Takes every row and keeps none, as a stream to a database would."""
    drop: deque[object] = deque(maxlen=0)
    return Sink(drop.append, drop.append, drop.append, drop.append)


def check(method: str, fills: Sequence[events.Fill], booked: Sequence[events.Event]) -> dict[str, int]:
    """How many rows the engine makes of a history, and how many sales differ from the reference."""
    found: dict[str, int] = {}
    counts = {"positions": 0, "trades": 0, "allocations": 0}

    def position(_: Position) -> None:
        counts["positions"] += 1

    def trade(_: Trade) -> None:
        counts["trades"] += 1

    def allocation(fields: AllocationRow) -> None:
        row = Allocation._make(fields)
        counts["allocations"] += 1
        found[row.exit_fill_id] = found.get(row.exit_fill_id, 0) + row.gross

    engine.fold(engine.new_state(method=method), booked, Sink(position, trade, allocation, lambda _: None))
    expected = REFERENCES[method](fills)
    wrong = sum(found.get(fill_id) != gross for fill_id, gross in expected.items())
    return {**counts, "sales": len(expected), "differences": wrong + len(found.keys() - expected.keys())}


def best_seconds(rounds: int, *runs: Callable[[], object]) -> list[float]:
    """CPU seconds of each, taking turns so that all see the same weather."""
    best = [float("inf")] * len(runs)
    for _ in range(rounds):
        for number, run in enumerate(runs):
            started = time.process_time()
            run()
            best[number] = min(best[number], time.process_time() - started)
    return best


def measure(shape: Shape, count: int, seed: int, rounds: int) -> Iterator[dict[str, object]]:
    fills = list(make_fills(count, seed, shape))
    booked = list(book_events(fills))
    plain = [(f.side == "BUY", money.from_units(f.quantity), money.from_units(f.price)) for f in fills]
    full = [
        (f.fill_id, *values, money.from_units(f.fee_amount)) for f, values in zip(fills, plain, strict=True)
    ]
    gc.collect()
    gc.freeze()  # the inputs are no part of what is measured
    for method in REFERENCES:
        state = engine.new_state(method=method)

        def fold(start: State = state) -> None:
            engine.fold(start, booked, dropping_sink())

        def fold_fills(start: State = state) -> None:
            engine.fold(start, book_events(fills), dropping_sink())

        loop, full_loop, folded, whole = best_seconds(
            rounds, lambda: decimal_fifo(plain), lambda: decimal_fifo_with_fees(full), fold, fold_fills
        )
        yield {
            "bench": "engine",
            "history": shape.name,
            "method": method,
            "fills": count,
            **check(method, fills, booked),
            "loop_per_second": round(count / loop),
            "engine_per_second": round(count / folded),
            "ratio": round(loop / folded, 3),
            "ratio_from_fills": round(loop / whole, 3),
            "ratio_full_loop": round(full_loop / folded, 3),
        }
    gc.unfreeze()


def main(argv: Sequence[str] | None = None) -> int:
    """Status 1 if any sale differs from the reference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fills", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args(argv)
    money.use_exact_context()
    differences = 0
    for shape in SHAPES:
        for row in measure(shape, args.fills, args.seed, args.rounds):
            print(json.dumps(row), flush=True)
            differences += int(str(row["differences"]))
    return int(differences > 0)


if __name__ == "__main__":
    raise SystemExit(main())
