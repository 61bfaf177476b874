"""Real backtests of another program, booked by our engine: every trade's profit and the figures we define alike.

`python -m benchmarks.backtests FILE...` takes exports of freqtrade, JSON as it writes them or gzipped, with the keys
`trades` and `metrics`; it prints a JSON line a file and ends with 1 when anything differs.

- A trade is two fills with their fees in a one-way contract book; its net result must be the one told, to the eighth
  decimal, which the other program rounds from a float. Where a contract was held over a funding time (00, 08, 16 h
  UTC) and the export tells no funding, the difference is what was paid: booked as funding and counted in `funded`.
- `--as-told` books nothing and measures the profits told, for an export whose profits do not follow from its amounts,
  prices and fees.
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
from dataclasses import dataclass, replace
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


def verify(backtest: Raw, *, as_told: bool = False) -> Verdict:
    """Book the trades of an export (its numbers as `Decimal`) and hold the results against what it tells; `as_told`:
    take the profits from it and compare its figures alone."""
    trades: Sequence[Raw] = backtest["trades"]
    booked = [_booked(number, trade, ZERO) for number, trade in enumerate(trades)]
    told = [quantize(trade["profit_abs"], TOLD_PLACES) for trade in trades]
    if as_told:
        facts = [
            replace(_fact(row), net=quantize(trade["profit_abs"]))
            for row, trade in zip(booked, trades, strict=True)
        ]
        return Verdict(len(trades), 0, *_compared(backtest["metrics"], trades, facts))
    gaps = [profit - _net(row) for profit, row in zip(told, booked, strict=True)]
    is_of_contracts = _is_of_contracts(backtest)
    funded = [
        abs(gap) > LAST_DIGIT and is_of_contracts and _was_held_over_funding(trade)
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
    count, wrong = _compared(backtest["metrics"], trades, [_fact(row) for row in booked])
    return Verdict(len(trades), sum(funded), count, differences + wrong)


def _compared(metrics: Raw, trades: Sequence[Raw], facts: Sequence[TradeFact]) -> tuple[int, list[str]]:
    """How many figures there are, and those that differ."""
    figures = list(_figures(metrics, trades, facts))
    return len(figures), [
        f"{name}: {ours} instead of {theirs}" for name, ours, theirs in figures if _far(ours, theirs)
    ]


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


def _is_of_contracts(backtest: Raw) -> bool:
    """As the export says, or where it does not, as only contracts are sold short: coins pay no funding."""
    mode = backtest["metrics"].get("trading_mode")
    return mode == "futures" if mode else any(trade.get("is_short") for trade in backtest["trades"])


def _was_held_over_funding(trade: Raw) -> bool:
    hours = FUNDING_HOURS * 3_600_000
    return int(trade["close_timestamp"]) // hours > (int(trade["open_timestamp"]) - 1) // hours


def _figures(
    metrics: Raw, trades: Sequence[Raw], facts: Sequence[TradeFact]
) -> Iterator[tuple[str, Decimal | None, Decimal]]:
    """Name, ours, told."""
    found = statistics.measure(sum_trades(facts), average_capital=None)
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
        base, balance = balance, balance + quantize(trade["profit_abs"])
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
    parser.add_argument(
        "--as-told", action="store_true", help="take the profits told, and compare figures alone"
    )
    asked = parser.parse_args(arguments)
    failed = False
    for path in asked.files:
        verdict = verify(read(path), as_told=asked.as_told)
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
