"""The whole set of metrics of many accounts in one pass, against numpy and the libraries people use for it.

`python -m benchmarks.metrics [--accounts N] [--days N] [--trades N] [--seed N]` prints one JSON line per rival, all
on the same inputs, in CPU time. Ours is what a refresh does between reading and writing: lines of equity, every
figure of `portfolio.figures` that returns or trades decide, with average capital, the fall in money and all sums
exact, XIRR among them, rounded. `numpy` is a loop over accounts of the same figures in float64, unrounded,
`numpy_nine` one of nine of them; `quantstats` and `empyrical` are loops over theirs. A rival that is not installed is
passed over with a message. `ratio` is ours by theirs, in accounts a second.

Everybody gets lists: we days, exact equity (and the same as floats, as the database hands it out) and the exact sums
over trades that are kept by day and account; the rivals returns, and results of trades, as floats. Adding up the bare
trades exactly in Python first costs `trades_ms` more (`ratio_with_trades`); in the product the database does that, once
for each day that changed.

`equal`: figures that are defined alike are compared (empyrical and quantstats annualise with 365 here): total return,
max drawdown, Sharpe, Sortino, volatility; the largest difference is told relative to the figure. Not compared, as they
are defined otherwise: CAGR (theirs counts returns, ours calendar days), Calmar (from it), profit factor (theirs is of
returns).

pandas and the rivals are not among our requirements: install `quantstats` and `empyrical-reloaded` into any environment
and run this module with it; it needs nothing of ours but the repository.
"""

import argparse
import importlib
import json
import math
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from types import ModuleType
from typing import Any, NamedTuple

from core.money import CONTEXT
from portfolio.accounting import lines, ratios, statistics
from portfolio.accounting.measure import Reason
from portfolio.accounting.trade_sums import TradeFact, TradeSums, sum_trades

YEAR = 365
FIRST = date(2023, 1, 1)
PART = 500
CLOSED = datetime(2023, 6, 1, tzinfo=UTC)


Row = tuple[dict[str, Any], dict[str, Reason], statistics.TradeMetrics]


class Account(NamedTuple):
    """`daily` returns as fractions and `nets` of trades, for the rivals; what they are of, for us."""

    days: list[int]
    equity: list[Decimal]
    values: list[float]
    trades: list[TradeFact]
    sums: TradeSums
    daily: list[float]
    nets: list[float]


def make_account(rng: random.Random, days: int, trades: int) -> Account:
    equity, daily = [Decimal(10_000)], []
    for _ in range(days):
        change = Decimal(round(rng.gauss(0.0006, 0.02), 6))
        equity.append((equity[-1] * (1 + change)).quantize(Decimal("1e-8")))
        daily.append(float(equity[-1] / equity[-2] - 1))
    nets = [Decimal(str(round(rng.gauss(2, 40), 4))) for _ in range(trades)]
    facts = [
        TradeFact(
            CLOSED, net, net, Decimal(0), Decimal(0), Decimal(100), Decimal(100) + net, timedelta(hours=1)
        )
        for net in nets
    ]
    first = FIRST.toordinal() - 1
    return Account(
        days=list(range(first, first + len(equity))),
        equity=equity,
        values=[float(value) for value in equity],
        trades=facts,
        sums=sum_trades(facts),
        daily=daily,
        nets=[float(net) for net in nets],
    )


def ours(accounts: Sequence[Account]) -> list[Row]:
    """Values by name, and why others are undefined, of each account; in one pass, read in parts."""
    rows: list[Row] = []
    with localcontext(CONTEXT):
        for first in range(0, len(accounts), PART):
            part = accounts[first : first + PART]
            chains = [lines.of_columns(each.days, each.equity, each.values, {}) for each in part]
            found = ratios.measure_all([lines.whole(line) for line in chains])
            for place, account in enumerate(part):
                values, reasons = found.row(place)
                trades = statistics.measure(account.sums, average_capital=values["average_capital"])
                rows.append((values, reasons, trades))
    return rows


def add_up(account: Account) -> TradeSums:
    return sum_trades(account.trades)


def numpy_set(numpy: Any) -> Callable[[Account], list[float]]:
    """What `ours` tells of an account without flows and planned risk, in float64."""
    nine = numpy_nine(numpy)

    def run(account: Account) -> list[float]:
        found = nine(account)
        equity, nets = numpy.asarray(account.values), numpy.asarray(account.nets)
        span = account.days[-1] - account.days[0]
        high = numpy.maximum.accumulate(equity)
        falls = 1 - equity / high
        trough = int(falls.argmax())
        peak = int(equity[: trough + 1].argmax())
        up = equity[trough:] >= equity[peak]
        recovery = trough + int(up.argmax()) if up.any() else -1
        days = [account.days[place] for place in (peak, trough, recovery)]
        made, lost = float(equity[-1] - equity[0]), float(equity[peak] - equity[trough])
        simple, capital = made / float(equity[0]), float(equity[:-1].mean())
        yearly = float(equity[-1] / equity[0]) ** (YEAR / span) - 1
        won, beaten = nets[nets > 0], nets[nets < 0]
        net = float(nets.sum())
        return [
            *found, simple, simple, yearly, lost, *days, made / lost, capital, len(nets), len(won), len(beaten),
            len(nets) - len(won) - len(beaten), net, net, net / len(nets), float(won.max()), float(beaten.min()),
            float(won.sum()), float(-beaten.sum()), net / capital, net / (len(won) + len(beaten)),
            200 * len(nets) + net,
        ]  # fmt: skip

    return run


def numpy_nine(numpy: Any) -> Callable[[Account], list[float]]:
    def run(account: Account) -> list[float]:
        daily, nets = numpy.asarray(account.daily), numpy.asarray(account.nets)
        index = numpy.cumprod(1 + daily)
        peaks = numpy.maximum.accumulate(numpy.concatenate(([1.0], index)))[1:]
        fall = float((1 - index / peaks).max())
        spread, mean = float(daily.std(ddof=1)), float(daily.mean())
        growth = float(index[-1]) ** (YEAR / len(daily)) - 1
        downside = math.sqrt(float((numpy.minimum(daily, 0) ** 2).mean()))
        won, lost = nets[nets > 0], nets[nets < 0]
        return [
            float(index[-1]) - 1, fall, mean / spread * math.sqrt(YEAR), mean / downside * math.sqrt(YEAR),
            spread * math.sqrt(YEAR), growth, growth / fall, float(won.sum() / -lost.sum()), len(won) / len(nets),
        ]  # fmt: skip

    return run


def empyrical_set(empyrical: Any) -> Callable[[Account], list[float]]:
    def run(account: Account) -> list[float]:
        series = _series(account)
        return [
            empyrical.cum_returns_final(series), -empyrical.max_drawdown(series),
            empyrical.sharpe_ratio(series, annualization=YEAR), empyrical.sortino_ratio(series, annualization=YEAR),
            empyrical.annual_volatility(series, annualization=YEAR),
            empyrical.annual_return(series, annualization=YEAR),
            empyrical.calmar_ratio(series, annualization=YEAR),
        ]  # fmt: skip

    return run


def quantstats_set(quantstats: Any) -> Callable[[Account], list[float]]:
    stats = quantstats.stats

    def run(account: Account) -> list[float]:
        series = _series(account)
        return [
            stats.comp(series), -stats.max_drawdown(series), stats.sharpe(series, periods=YEAR),
            stats.sortino(series, periods=YEAR), stats.volatility(series, periods=YEAR),
            stats.cagr(series, periods=YEAR), stats.calmar(series, periods=YEAR), stats.profit_factor(series),
            stats.win_rate(series), stats.kelly_criterion(series), stats.value_at_risk(series),
            stats.ulcer_index(series), stats.recovery_factor(series), stats.exposure(series),
        ]  # fmt: skip

    return run


def _series(account: Account) -> Any:
    pandas = importlib.import_module("pandas")
    return pandas.Series(account.daily, index=pandas.date_range(FIRST, periods=len(account.daily)))


RIVALS: dict[str, Callable[[Any], Callable[[Account], list[float]]]] = {
    "numpy": numpy_set,
    "numpy_nine": numpy_nine,
    "empyrical": empyrical_set,
    "quantstats": quantstats_set,
}


def installed(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def seconds_each(accounts: Sequence[Account]) -> float:
    """CPU time of an account in one pass over all."""
    started = time.process_time()
    ours(accounts)
    return (time.process_time() - started) / len(accounts)


def rate(run: Callable[[Account], object], accounts: Sequence[Account], seconds: float = 2.0) -> float:
    """Accounts per second of CPU time, over all of them or until the time is over."""
    started, done = time.process_time(), 0
    for account in accounts:
        run(account)
        done += 1
        if time.process_time() - started > seconds and done >= 3:
            break
    return done / (time.process_time() - started)


def difference(account: Account, theirs: Sequence[float]) -> float:
    """The largest of the five figures that all define alike, relative to ours."""
    values, _, _ = ours([account])[0]
    shares = ("total_return_percentage", "max_drawdown", "sharpe_ratio", "sortino_ratio", "volatility")
    pairs = zip(shares, theirs, (100, 100, 1, 1, 100), strict=False)
    gaps = [(float(values[name] or 0), float(their) * by) for name, their, by in pairs]
    return max(abs(one - their) / max(abs(one), 1.0) for one, their in gaps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--trades", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    some = [make_account(rng, asked.days, asked.trades) for _ in range(min(asked.accounts, 200))]
    accounts = [some[number % len(some)] for number in range(asked.accounts)]
    own = min(seconds_each(accounts) for _ in range(2))
    trades = 1 / rate(add_up, accounts)
    size = {"accounts": asked.accounts, "days": asked.days, "trades": asked.trades}
    costs = {"ms_per_account": round(1000 * own, 3), "trades_ms": round(1000 * trades, 3)}
    print(json.dumps({"who": "ours", **size, **costs}), flush=True)
    for name, make in RIVALS.items():
        module = installed(name.partition("_")[0])
        if module is None:
            print(f"{name} is not installed: passed over")
            continue
        run = make(module)
        run(some[0])  # what it loads late is not counted
        theirs = rate(run, accounts)
        worst = max(difference(account, run(account)) for account in some[:20])
        told = {
            "ratio": round(1 / own / theirs, 2),
            "ratio_with_trades": round(1 / (own + trades) / theirs, 2),
            "equal": bool(worst < 1e-4),
            "largest_difference": f"{worst:.1e}",
        }
        print(json.dumps({"who": name, "ms_per_account": round(1000 / theirs, 3), **told}))


if __name__ == "__main__":
    main()
