"""The whole set of metrics against numpy and against the libraries people use for it, on the same inputs.

`python -m benchmarks.metrics [--accounts N] [--days N] [--trades N] [--seed N]` prints one JSON line per rival. Ours is
exact up to the ratios (Decimal index, drawdown and returns) and includes the three returns by money, XIRR among them;
`numpy` is a loop over accounts of nine figures in float64, `quantstats` and `empyrical` loops over theirs. A rival that
is not installed is passed over with a message. `ratio` is ours by theirs, in accounts a second of CPU time.

`equal`: figures that are defined alike are compared (empyrical and quantstats annualise with 365 here): total return,
max drawdown, Sharpe, Sortino, volatility; the largest difference is told relative to the figure. Not compared, as they
are defined otherwise: CAGR (theirs counts returns, ours calendar days), Calmar (from it), profit factor (theirs is of
returns).

numpy, pandas and the rivals are not among our requirements: install `quantstats` and `empyrical-reloaded` into any
environment and run this module with it; it needs nothing of ours but the repository.
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
from portfolio.accounting import ratios, returns, statistics
from portfolio.accounting.ratios import ReturnMetrics
from portfolio.accounting.returns import EquityDay
from portfolio.accounting.trade_sums import TradeFact, sum_trades

YEAR = 365
FIRST = date(2023, 1, 1)
CLOSED = datetime(2023, 6, 1, tzinfo=UTC)


class Account(NamedTuple):
    """`daily` returns as fractions, and the equity and trades that they are of."""

    days: list[EquityDay]
    trades: list[TradeFact]
    daily: list[float]
    nets: list[float]


def make_account(rng: random.Random, days: int, trades: int) -> Account:
    equity, rows, daily = Decimal(10_000), [], []
    for number in range(days):
        change = Decimal(round(rng.gauss(0.0006, 0.02), 6))
        before, equity = equity, (equity * (1 + change)).quantize(Decimal("1e-8"))
        daily.append(float(equity / before - 1))
        rows.append(EquityDay(FIRST + timedelta(number), equity))
    nets = [Decimal(str(round(rng.gauss(2, 40), 4))) for _ in range(trades)]
    facts = [
        TradeFact(
            CLOSED, net, net, Decimal(0), Decimal(0), Decimal(100), Decimal(100) + net, timedelta(hours=1)
        )
        for net in nets
    ]
    return Account(rows, facts, daily, [float(net) for net in nets])


def ours(account: Account) -> ReturnMetrics:
    with localcontext(CONTEXT):
        figures = ratios.measure(returns.chain(account.days, opening=Decimal(10_000)))
        statistics.measure(sum_trades(account.trades), average_capital=figures.average_capital.value)
    return figures


def sums_only(account: Account) -> None:
    """What a refresh does of trades: the day's sums are kept, so all time is one addition of them."""
    with localcontext(CONTEXT):
        ratios.measure(returns.chain(account.days, opening=Decimal(10_000)))


def numpy_set(numpy: Any) -> Callable[[Account], list[float]]:
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
    "empyrical": empyrical_set,
    "quantstats": quantstats_set,
}


def installed(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


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
    found = ours(account)
    shares = [
        found.total_return_percentage, found.max_drawdown, found.sharpe_ratio, found.sortino_ratio,
        found.volatility,
    ]  # fmt: skip
    scale = (100, 100, 1, 1, 100)
    pairs = [
        (float(one.value or 0), their * by) for one, their, by in zip(shares, theirs, scale, strict=False)
    ]
    return max(abs(one - float(their)) / max(abs(one), 1.0) for one, their in pairs)


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
    own, kept = rate(ours, accounts), rate(sums_only, accounts)
    size = {"accounts": asked.accounts, "days": asked.days, "trades": asked.trades}
    costs = {"ms_per_account": round(1000 / own, 3), "from_kept_sums_ms": round(1000 / kept, 3)}
    print(json.dumps({"who": "ours", **size, **costs}))
    for name, make in RIVALS.items():
        module = installed(name)
        if module is None:
            print(f"{name} is not installed: passed over")
            continue
        run = make(module)
        run(some[0])  # what it loads late is not counted
        theirs = rate(run, accounts)
        worst = max(difference(account, run(account)) for account in some[:20])
        told = {
            "ratio": round(own / theirs, 2),
            "equal": bool(worst < 1e-4),
            "largest_difference": f"{worst:.1e}",
        }
        print(json.dumps({"who": name, "ms_per_account": round(1000 / theirs, 3), **told}))


if __name__ == "__main__":
    main()
