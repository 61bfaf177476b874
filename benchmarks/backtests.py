"""Real backtests of another program, booked by our engine: every trade's profit and the figures we define alike.

`python -m benchmarks.backtests FILE...` takes exports of freqtrade, JSON as it writes them or gzipped, with the keys
`trades` and `metrics`; it prints a JSON line a file and ends with 1 when anything differs.

- A trade is two fills with their fees in a one-way contract book; its net result must be the one told, to the eighth
  decimal, which the other program rounds from a float. Where a position was held over a funding time (00, 08, 16 h
  UTC) and the export tells no funding, the difference is what was paid: booked as funding and counted in `funded`.
- Told and computed alike: number of trades, wins, losses, net, profit factor, expectancy, average holding time (told in
  minutes); from the closed trades' balance the deepest fall in money and percent; from 90 days on the yearly growth.
- Not compared, because defined otherwise: its Sharpe, Sortino and Calmar are of trades, ours of days; its SQN is of
  profits, ours of R-multiples.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from core import clock
from core.money import CONTEXT, ZERO, from_units, quantize, to_units
from portfolio.accounting import contract_book, drawdown, ratios, statistics
from portfolio.accounting.contracts import (
    BookSide,
    ContractCollector,
    ContractEvent,
    ContractTrade,
    fill_event,
    funding_event,
)
from portfolio.accounting.returns import IndexPoint
from portfolio.accounting.trade_sums import TradeFact, sum_trades

Raw = Mapping[str, Any]
TOLD_PLACES: Final = 8
LAST_DIGIT: Final = Decimal("1e-8")
FUNDING_HOURS: Final = 8
CLOSE: Final = Decimal("1e-9")
"""Relative: the other program's figures are floats."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What agreed; `differences` is empty when all did."""

    trades: int
    funded: int
    figures: int
    differences: list[str]


def verify(backtest: Raw) -> Verdict:
    """Book the trades of an export (its numbers as `Decimal`) and hold the results against what it tells."""
    trades: Sequence[Raw] = backtest["trades"]
    booked = [_booked(number, trade, ZERO) for number, trade in enumerate(trades)]
    told = [quantize(trade["profit_abs"], TOLD_PLACES) for trade in trades]
    gaps = [profit - _net(row) for profit, row in zip(told, booked, strict=True)]
    funded = [
        abs(gap) > LAST_DIGIT and _was_held_over_funding(trade)
        for gap, trade in zip(gaps, trades, strict=True)
    ]
    for number, trade in enumerate(trades):
        if funded[number]:
            booked[number] = _booked(number, trade, gaps[number])
    differences = [
        f"trade {number}: {_net(row)} instead of {profit}"
        for number, (profit, row) in enumerate(zip(told, booked, strict=True))
        if abs(_net(row) - profit) > LAST_DIGIT
    ]
    figures = list(_figures(backtest["metrics"], trades, booked))
    differences += [
        f"{name}: {ours} instead of {theirs}" for name, ours, theirs in figures if _far(ours, theirs)
    ]
    return Verdict(len(trades), sum(funded), len(figures), differences)


def _booked(number: int, trade: Raw, funding: Decimal) -> ContractTrade:
    opened, closed = int(trade["open_timestamp"]), int(trade["close_timestamp"])
    is_short = bool(trade.get("is_short"))
    events = [_fill(f"{number}a", trade, "open", opened, is_buy=not is_short)]
    if funding:
        paid = to_units(funding)
        events.append(
            funding_event(payment_id=f"{number}f", symbol=trade["pair"], amount=paid, time_ms=closed - 1)
        )
    events.append(_fill(f"{number}b", trade, "close", closed, is_buy=is_short))
    collector = ContractCollector()
    contract_book.fold(contract_book.new_state(side=BookSide.BOTH), events, collector.sink)
    return collector.trades[-1]


def _fill(fill_id: str, trade: Raw, end: str, time_ms: int, *, is_buy: bool) -> ContractEvent:
    """Fees are a share of the value, as exact as our amounts."""
    value = CONTEXT.multiply(trade["amount"], trade[f"{end}_rate"])
    fee = CONTEXT.multiply(value, trade[f"fee_{end}"])
    return fill_event(
        fill_id=fill_id,
        symbol=trade["pair"],
        order_id=fill_id,
        side="BUY" if is_buy else "SELL",
        quantity=to_units(trade["amount"]),
        value=to_units(quantize(value)),
        time_ms=time_ms,
        fee_amount=to_units(quantize(fee)),
    )


def _net(row: ContractTrade) -> Decimal:
    return quantize(from_units(row.net), TOLD_PLACES)


def _was_held_over_funding(trade: Raw) -> bool:
    hours = FUNDING_HOURS * 3_600_000
    return int(trade["close_timestamp"]) // hours > (int(trade["open_timestamp"]) - 1) // hours


def _figures(
    metrics: Raw, trades: Sequence[Raw], booked: Sequence[ContractTrade]
) -> Iterator[tuple[str, Decimal | None, Decimal]]:
    """Name, ours, told."""
    found = statistics.measure(sum_trades(_fact(row) for row in booked), average_capital=None)
    fall, growth = _balance(metrics, trades)
    hold = found.average_hold_duration or timedelta()
    ours = {
        "total_trades": Decimal(found.total_trades),
        "wins": Decimal(found.winning_trades),
        "losses": Decimal(found.losing_trades),
        "profit_total_abs": found.total_net_pnl,
        "profit_factor": found.profit_factor.value,
        "expectancy": found.expectancy.value,
        "holding_avg_s": Decimal(60 * round(hold / timedelta(minutes=1))),
        "max_drawdown_abs": fall.amount.value,
        "max_relative_drawdown": None if fall.percent.value is None else fall.percent.value / 100,
        "cagr": None if growth is None else growth / 100,
    }
    for name, value in ours.items():
        if name in metrics and not (name == "cagr" and value is None):
            yield name, value, Decimal(metrics[name])


def _fact(row: ContractTrade) -> TradeFact:
    money = {name: quantize(from_units(getattr(row, name)), TOLD_PLACES) for name in ("net", "gross", "cost")}
    return TradeFact(
        exit_time=clock.from_ms(row.exit_ms),
        net=money["net"],
        gross=money["gross"],
        entry_fees=from_units(row.entry_fees),
        exit_fees=from_units(row.exit_fees),
        entry_value=money["cost"],
        exit_value=from_units(row.proceeds),
        hold=timedelta(milliseconds=row.exit_ms - row.entry_ms),
    )


def _balance(metrics: Raw, trades: Sequence[Raw]) -> tuple[drawdown.Drawdown, Decimal | None]:
    """Deepest fall and yearly growth of the balance after each closed trade."""
    start = Decimal(metrics["starting_balance"])
    begun, ended = (clock.from_ms(int(metrics[f"backtest_{end}_ts"])) for end in ("start", "end"))
    points = [IndexPoint(begun.date(), start, Decimal(1), None, ZERO, start, 0)]
    balance = start
    for trade in sorted(trades, key=lambda each: int(each["close_timestamp"])):
        base, balance = balance, balance + quantize(trade["profit_abs"], TOLD_PLACES)
        day = clock.from_ms(int(trade["close_timestamp"])).date()
        change = CONTEXT.divide(balance, base) - 1
        points.append(
            IndexPoint(day, balance, CONTEXT.divide(balance, start), change, balance - start, base, 1)
        )
    last = points[-1]
    ending = IndexPoint(ended.date(), last.equity, last.index, last.index - 1, last.profit, last.equity, 1)
    return drawdown.deepest(points), ratios.cagr([points[0], ending]).value


def _far(ours: Decimal | None, theirs: Decimal) -> bool:
    """Our ratios are rounded to four decimals of a percent, or of one."""
    if ours is None:
        return True
    return abs(ours - theirs) > max(abs(theirs) * CLOSE, Decimal("0.00005"))


def read(path: Path) -> Raw:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt") as file:
        backtest: Raw = json.load(file, parse_float=Decimal, parse_int=Decimal)
    return backtest


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    failed = False
    for path in parser.parse_args(arguments).files:
        verdict = verify(read(path))
        failed |= bool(verdict.differences)
        print(
            json.dumps(
                {
                    "file": path.name,
                    "trades": verdict.trades,
                    "funded": verdict.funded,
                    "figures": verdict.figures,
                    "differences": verdict.differences[:20],
                }
            )
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
