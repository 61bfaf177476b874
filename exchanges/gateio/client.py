"""Gate.io through ccxt's implicit endpoints."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from core import clock
from exchanges import reading
from exchanges.base import ApiKeys
from exchanges.gateio.errors import DIALECT
from exchanges.transport import CcxtClient, CcxtProfile, Clock


def connect(keys: ApiKeys | None, *, url: str | None = None, now: Clock = clock.now) -> CcxtClient:
    """A client for one thread; `url` points it elsewhere, None keys make it public."""
    return CcxtClient(PROFILE, keys, url=url, now=now)


def read_time(answer: object) -> datetime:
    """Gate.io's clock, from the answer of GET /spot/time."""
    return reading.moment_ms(answer if isinstance(answer, Mapping) else {}, "server_time")


PROFILE: Final = CcxtProfile(
    name="gate",
    options={"unifiedAccount": False, "timeDifference": 0},
    dialect=DIALECT,
    weight_header="",  # it tells what is left to each endpoint, no weight of the address
    time_endpoint="public_spot_get_time",
    read_time=read_time,
)
