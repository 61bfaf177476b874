"""What kind of person stands behind a simulated account."""

from dataclasses import dataclass, replace

from exchanges.simulators.amounts import ONE

HISTORY_DAYS = 416  # the length of the shipped candles: almost fourteen months
_ALL = (
    "BTCUSDT",
    "ETHUSDT",
    "BNBUSDT",
    "SOLUSDT",
    "ADAUSDT",
    "XRPUSDT",
    "DOGEUSDT",
    "ETHBTC",
    "BTCUSDC",
    "ETHUSDC",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`days` of history before the world starts; `ideas_per_100_days` new trade ideas; `capital` in USDT
    units."""

    label: str
    days: int = HISTORY_DAYS
    symbols: tuple[str, ...] = _ALL
    ideas_per_100_days: int = 150
    capital: int = 12_000 * ONE
    transfers: bool = True  # further deposits and withdrawals
    saves: bool = True  # buys a little BTC or ETH every week and keeps it
    has_holes: bool = False  # conversions and interest that no endpoint tells
    collects: bool = False  # is given coins, and changes some outside the order book
    is_live: bool = False  # goes on trading every 20 to 60 seconds
    contracts: str = ""  # trades contracts, too: "one_way" or "hedge"; "" for none
    contract_days: int | None = None  # ... in the last days only; None: from the beginning
    can_withdraw: bool = False  # the key may withdraw: a key nobody should hand over

    @property
    def days_of_contracts(self) -> int:
        return self.days if self.contract_days is None else min(self.contract_days, self.days)

    def shortened(self, days: int) -> "Profile":
        """The same person with a short history, for quick tests; ideas come thicker."""
        return replace(self, days=days, ideas_per_100_days=self.ideas_per_100_days * 3)


DEMO = Profile(label="demo", is_live=True)
HOLES = Profile(
    label="holes",
    symbols=("BTCUSDT", "ETHUSDT", "SOLUSDT", "ADAUSDT"),
    ideas_per_100_days=35,
    capital=6_000 * ONE,
    has_holes=True,
)
QUIET = Profile(
    label="quiet",
    symbols=("BTCUSDT", "XRPUSDT"),
    ideas_per_100_days=6,
    capital=2_500 * ONE,
    transfers=False,
    saves=False,
)
COLLECTOR = replace(HOLES, label="collector", has_holes=False, collects=True)
DEFAULT = (DEMO, HOLES, QUIET)
SMALL = tuple(profile.shortened(20) for profile in DEFAULT)
LEVERAGED = Profile(
    label="leveraged", symbols=("BTCUSDT", "ETHUSDT", "BTCUSDC"), contracts="one_way", is_live=True
)
HEDGED = Profile(
    label="hedged", symbols=("ETHUSDT", "XRPUSDT", "ETHUSDC"), contracts="hedge", ideas_per_100_days=80
)
CONTRACTS = (LEVERAGED, HEDGED, QUIET)
SHOWN = (
    replace(DEMO, contracts="one_way", contract_days=60),
    HOLES,
    QUIET,
)  # in the foreground, to be looked at
SMALL_CONTRACTS = tuple(profile.shortened(30) for profile in CONTRACTS)
