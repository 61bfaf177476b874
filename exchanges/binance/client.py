"""Binance through ccxt's implicit endpoints."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from core import clock
from exchanges import reading
from exchanges.base import ApiKeys
from exchanges.binance.errors import DIALECT
from exchanges.transport import CcxtClient, CcxtProfile, Clock

RECV_WINDOW_MS: Final = 10_000


def connect(keys: ApiKeys | None, *, url: str | None = None, now: Clock = clock.now) -> CcxtClient:
    """A client for one thread; `url` points it elsewhere, None keys make it public."""
    return CcxtClient(PROFILE, keys, url=url, now=now)


def read_time(answer: object) -> datetime:
    """Binance's clock, from the answer of GET /api/v3/time."""
    return reading.moment_ms(answer if isinstance(answer, Mapping) else {}, "serverTime")


PROFILE: Final = CcxtProfile(
    name="binance",
    options={"recvWindow": RECV_WINDOW_MS, "timeDifference": 0},
    dialect=DIALECT,
    weight_header="X-MBX-USED-WEIGHT-1M",
    time_endpoint="public_get_time",
    read_time=read_time,
)
