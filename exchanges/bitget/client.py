"""Bitget through ccxt's implicit endpoints, and what stands inside its envelopes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from msgspec import convert

from core import clock
from exchanges import plain, reading
from exchanges.base import ApiKeys
from exchanges.bitget.errors import DIALECT
from exchanges.transport import CcxtClient, CcxtProfile, Clock, unreadable

PAGE: Final = 100  # the most rows nearly all of the histories give at once
_MOST_PAGES: Final = 100  # of a list that is read as a whole
_IDS_END: Final = 10**30


class Listed(NamedTuple):
    """The rows of a page, and the cursor the next, older page begins below: "" for none."""

    rows: list[Any]
    cursor: str


def connect(keys: ApiKeys | None, *, url: str | None = None, now: Clock = clock.now) -> CcxtClient:
    """A client for one thread; `url` points it elsewhere, None keys make it public."""
    return CcxtClient(PROFILE, keys, url=url, now=now)


def read_time(answer: object) -> datetime:
    """Bitget's clock, from the answer of GET /api/v2/public/time."""
    data = answer.get("data") if isinstance(answer, Mapping) else None
    return reading.moment_ms(data if isinstance(data, Mapping) else {}, "serverTime")


def record(client: CcxtClient, endpoint: str, asked: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An answer whose data is an object. Raises ExchangeError."""
    data = client.record(endpoint, asked).get("data")
    if not isinstance(data, dict):
        raise unreadable("an object was expected")
    return data


def rows(
    client: CcxtClient, endpoint: str, asked: Mapping[str, Any] | None = None, *, member: str = ""
) -> list[Any]:
    """An answer whose data is an array, or an object with the array as a member; null stands for an empty one."""
    data = (
        record(client, endpoint, asked).get(member) if member else client.record(endpoint, asked).get("data")
    )
    if data is None:
        return []
    if not isinstance(data, list):
        raise unreadable("an array was expected")
    return data


def page_below(
    client: CcxtClient, endpoint: str, asked: Mapping[str, Any], *, by: str, limit: int = PAGE
) -> Listed:
    """A page of a plain array, which goes on below the smallest id, `by`, of a full page."""
    found = rows(client, endpoint, {**asked, "limit": limit})
    return Listed(found, _smallest(found, by) if len(found) >= limit else "")


def page_with_end(client: CcxtClient, endpoint: str, asked: Mapping[str, Any], *, member: str) -> Listed:
    """A page of an object that tells where it ends: `endId`, or `cursor` in a unified account."""
    data = record(client, endpoint, {**asked, "limit": PAGE})
    found = data.get(member)
    found = [] if found is None else found
    if not isinstance(found, list):
        raise unreadable(f"{member} is no array")
    end = data.get("endId") or data.get("cursor")
    if len(found) < PAGE:
        return Listed(found, "")
    if not isinstance(end, str):
        raise unreadable("a full page that does not tell where it ends")
    return Listed(found, end)


def whole(pages: Iterable[Listed]) -> list[Any]:
    """All rows of a list that is not walked."""
    found: list[Any] = []
    for count, page in enumerate(pages, start=1):
        found += page.rows
        if count > _MOST_PAGES:
            raise unreadable("a list without an end")
    return found


def _smallest(found: list[Any], by: str) -> str:
    """Pages are newest first, but nobody promises it: the smallest id of all."""
    told = [raw.get(by) for raw in found if isinstance(raw, dict)]
    try:
        texts = convert(told, list[plain.Digits])
        plain.hold_for_digits(texts)
        ids = [int(each) for each in texts]
    except plain.DIFFERENT:
        ids = [number for each in told if (number := reading.whole(each, below=_IDS_END, default=-1)) >= 0]
    if not ids:
        raise unreadable(f"a full page without a readable {by}")
    return str(min(ids))


PROFILE: Final = CcxtProfile(
    name="bitget",
    # Told, ccxt does not ask by itself whether the account is a unified one.
    options={"uta": False, "timeDifference": 0},
    dialect=DIALECT,
    weight_header="",  # requests are counted by endpoint, and nothing tells how many are left
    time_endpoint="public_common_get_v2_public_time",
    read_time=read_time,
)
