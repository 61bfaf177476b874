"""Lots as rp2 consumes them: every sheet of its golden reports, by FIFO, LIFO and HIFO.

Facts of eprbell/rp2 (Apache-2.0) at eb2a36853db5094011d664cbe498a59b50dd44cd, input/*.ods and input/golden/generic, as
`rp2.json` beside this file keeps them: of each row its time, kind, coins, money (what an acquisition cost, else the
price), money's fee and coins' fee; told by year and kind of disposal: cost, gain.

Its convention: cost holds the fiat fee; a sale's coin fee leaves the lots, too, and brings nothing; interest costs what
it was worth; gifts and donations leave at market value, as sales do here. So cost is our cost with its entry fees, and
the gain is our net result. Coins spent on the way between two places (MOVE) are a sale there and leave at their cost
here: only the cost is compared.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from core import clock
from core.money import from_units, parse
from portfolio.accounting import events
from portfolio.accounting.events import Event, EventKind
from tests.portfolio.accounting.books import fold, units

CASES: Final = json.loads((Path(__file__).parent / "rp2.json").read_text())
METHODS: Final = ("fifo", "lifo", "hifo")
LEFT_OUT: Final = {
    **dict.fromkeys(
        [(sheet, method) for sheet in ("test_data4 B1", "test_data4 B3") for method in METHODS],
        "A buy's fee in the coin it buys is sold again there; here it never came in.",
    ),
    ("test_hifo B1", "hifo"): "Its HIFO ranks by a stated market price that is not what was paid.",
}
FITTING: Final = [
    (sheet, method) for sheet in CASES["facts"] for method in METHODS if (sheet, method) not in LEFT_OUT
]
NOTHING: Final = Decimal(0)


def event(name: str, row: Iterable[str]) -> Event:
    at, kind, coins, money, fee, coin_fee = row
    time, quantity, spent = clock.to_ms(datetime.fromisoformat(at)), parse(coins), parse(coin_fee)
    if kind == "MOVE":
        return events.withdrawal(transfer_id=name, time_ms=time, quantity=units(quantity), fact=1)
    if kind == "INTEREST":
        return events.receipt(
            transfer_id=name, asset="X", time_ms=time, quantity=units(quantity), cost=units(money)
        )
    if kind == "BUY":
        return Event(time, name, "X", EventKind.ENTRY, name, units(quantity), units(money), units(fee), 1)
    price, paying = parse(money), EventKind.FEE if kind == "FEE" else EventKind.EXIT
    paid = 0 if kind == "FEE" else units(spent * price)
    return Event(
        time, name, "X", paying, name, units(quantity + spent), units((quantity + spent) * price), paid, 1
    )


def disposals(sheet: str, method: str) -> dict[str, tuple[Decimal, Decimal]]:
    """Cost and gain by year and kind."""
    rows = CASES["facts"][sheet]
    kinds = {f"{number:03}": row[1] for number, row in enumerate(rows)}
    book = fold([event(name, row) for name, row in zip(kinds, rows, strict=True)], method=method)
    found: dict[str, tuple[Decimal, Decimal]] = defaultdict(lambda: (NOTHING, NOTHING))
    for trade in book.trades:
        key = f"{clock.from_ms(trade.exit_ms).year} {kinds[trade.key.order_id]}"
        cost, gain = found[key]
        found[key] = cost + from_units(trade.cost + trade.entry_fees), gain + from_units(trade.net)
    for part in book.moved:
        key = f"{clock.from_ms(part.moved_ms).year} MOVE"
        found[key] = found[key][0] + from_units(part.cost + part.fees), NOTHING
    return found


@pytest.mark.parametrize(("sheet", "method"), FITTING)
def test_costs_and_gains_by_year_and_kind(sheet: str, method: str) -> None:
    told = {
        key: (cost, "0" if key.endswith("MOVE") else gain)
        for key, (cost, gain) in CASES["told"][sheet][method].items()
    }
    found = disposals(sheet, method)
    assert found.keys() == told.keys()
    # Told as floats: to the 15 digits they have.
    assert all(found[key] == pytest.approx(tuple(map(parse, told[key])), rel=parse("1e-14")) for key in told)


@pytest.mark.parametrize(("sheet", "method"), LEFT_OUT)
def test_what_is_left_out_does_differ(sheet: str, method: str) -> None:
    found = disposals(sheet, method)
    assert any(found[key][0] != parse(cost) for key, (cost, _) in CASES["told"][sheet][method].items())
