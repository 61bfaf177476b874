"""MEXC through ccxt's implicit endpoints."""

from typing import Final

from core import clock
from exchanges.base import ApiKeys
from exchanges.binance_like import read_time
from exchanges.mexc.errors import DIALECT
from exchanges.transport import CcxtClient, CcxtProfile, Clock

RECV_WINDOW_MS: Final = 10_000


def connect(keys: ApiKeys | None, *, url: str | None = None, now: Clock = clock.now) -> CcxtClient:
    """A client for one thread; `url` points it elsewhere, None keys make it public."""
    return CcxtClient(PROFILE, keys, url=url, now=now)


PROFILE: Final = CcxtProfile(
    name="mexc",
    options={"recvWindow": RECV_WINDOW_MS, "timeDifference": 0},
    dialect=DIALECT,
    weight_header="",  # MEXC tells no level, only when to come back
    time_endpoint="spot_public_get_time",
    read_time=read_time,
)
