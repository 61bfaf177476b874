"""The side of a trader that collects: interest and airdrops, conversions, and dust turned into the house's coin."""

from typing import Final

from exchanges.simulators import amounts
from exchanges.simulators.amounts import ONE, units
from exchanges.simulators.clock import DAY_MS, HOUR_MS, SECOND_MS
from exchanges.simulators.desk import Desk
from exchanges.simulators.facts import Conversion, Dividend

_INTEREST: Final = "Flexible"
_AIRDROP: Final = "ADA distribution"
_DUST: Final = (("ADA", units("0.7")), ("SOL", units("0.004")))
_CHARGE: Final = 50  # one part in so many


class Collector:
    """Interest every day, an airdrop every week, a conversion and dust now and then."""

    def __init__(self, desk: Desk, *, coin: str) -> None:
        self._desk = desk
        self._coin = coin
        self._last_id = 1_000_000

    def start(self, at: int) -> None:
        self._desk.schedule(at, self._earn)
        self._desk.schedule(at + 5 * HOUR_MS, self._receive)
        self._desk.schedule(at + DAY_MS, self._convert)
        self._desk.schedule(at + 2 * DAY_MS, self._sweep)

    def _earn(self, at: int) -> None:
        self._desk.schedule(at + DAY_MS, self._earn)
        interest = self._desk.account.free["USDT"] // 12_000
        if interest:
            self._give("USDT", interest, _INTEREST, at)

    def _receive(self, at: int) -> None:
        self._desk.schedule(at + 7 * DAY_MS, self._receive)
        self._give("ADA", 3 * ONE, _AIRDROP, at)

    def _convert(self, at: int) -> None:
        """From USDT into the coin, and some of it back an hour later."""
        self._desk.schedule(at + 6 * DAY_MS + self._desk.rng.randrange(600) * SECOND_MS, self._convert)
        account, price = self._desk.account, self._desk.market.usdt_price(self._coin, at)
        paid = min(100 * ONE, account.free["USDT"] // 10)
        self._change("USDT", paid, self._coin, amounts.quotient(paid, price), at)
        self._desk.schedule(at + HOUR_MS, self._convert_back)

    def _convert_back(self, at: int) -> None:
        account, price = self._desk.account, self._desk.market.usdt_price(self._coin, at)
        sold = account.free[self._coin] // 3
        self._change(self._coin, sold, "USDT", amounts.product(sold, price), at)

    def _sweep(self, at: int) -> None:
        """Several coins at once: they share an id."""
        self._desk.schedule(at + 9 * DAY_MS, self._sweep)
        account, market, together = self._desk.account, self._desk.market, self._next_id()
        for asset, amount in _DUST:
            if account.free[asset] >= amount:
                value = amounts.product(amount, market.usdt_price(asset, at))
                came = amounts.quotient(value, market.usdt_price(self._coin, at))
                row = Conversion(together, asset, amount, self._coin, came, came // _CHARGE, True, at)
                account.convert(row)

    def _change(self, source: str, paid: int, target: str, came: int, at: int) -> None:
        if paid and came:
            row = Conversion(self._next_id(), source, paid, target, came, 0, False, at)
            self._desk.account.convert(row)

    def _give(self, asset: str, amount: int, words: str, at: int) -> None:
        self._desk.account.give(Dividend(self._next_id(), asset, amount, words, at))

    def _next_id(self) -> int:
        self._last_id += 3
        return self._last_id
