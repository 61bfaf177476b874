"""Reading a span of history again, whatever the cursors say: for symbols nobody knew of, or where facts are missing.

Cursors stay where they are. Everything read is stored as by a sync, so what is known already changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import sleep
from typing import Any, Final

from exchanges.errors import ErrorKind, ExchangeError
from exchanges.rows import Page, TransferKind
from orders import ingest, movements
from orders.conversions import store_conversions
from pipeline import priorities
from pipeline.models import Stream
from pipeline.priorities import Priority
from pipeline.session import Session, Store

CHUNK: Final = timedelta(days=30)  # of fills in one go: what is read again after an exchange asked us to wait
LONGEST_WAIT: Final = timedelta(minutes=10)
_KINDS: Final = {
    TransferKind.DEPOSIT: Stream.DEPOSITS,
    TransferKind.WITHDRAWAL: Stream.WITHDRAWALS,
    TransferKind.INTERNAL: Stream.TRANSFERS,
    TransferKind.REBATE: Stream.REBATES,
    TransferKind.CHARGE: Stream.CHARGES,
    TransferKind.AIRDROP: Stream.DIVIDENDS,
}


@dataclass(frozen=True, slots=True)
class Span:
    """[since, until), and symbols to be followed from now on beside those known."""

    since: datetime
    until: datetime
    symbols: tuple[str, ...] = ()

    def chunks(self) -> Iterator[tuple[datetime, datetime]]:
        """The newest first, so that the page is useful soon."""
        until = self.until
        while until > self.since:
            since = max(until - CHUNK, self.since)
            yield since, until
            until = since


@dataclass(frozen=True, slots=True)
class _Job:
    """One walk: `pages` begins it, as often as it is called."""

    stream: Stream
    scope: str
    pages: Callable[[], Iterable[Page[Any]]]
    store: Store[Any]
    words: str


def read(session: Session, span: Span) -> None:
    """All facts of the span. Raises ExchangeError; what was stored until then stays.

    Fills are asked by time; orders, transfers and funding are walked from the oldest the exchange tells, because not
    every exchange lets a walk begin anywhere. Waits where the exchange says so.
    """
    unknown = [symbol for symbol in span.symbols if symbol not in session.listings]
    if unknown:
        raise ExchangeError(
            ErrorKind.USER, f"The exchange does not list {', '.join(unknown)[:200]}.", code="symbol"
        )
    with session.door("Reading a span again"):
        session.follow(span.symbols, due_at=session.started)
    jobs = [*_spot(session, span), *_contracts(session, span)]
    session.run.steps_total += len(jobs)
    with priorities.using(Priority.BACKFILL):
        for job in jobs:
            _work(session, job)


def _work(session: Session, job: _Job) -> None:
    place = (job.stream.value, job.scope, "backfill")
    while True:
        try:
            for page in job.pages():
                if page.raw_count:
                    with session.door(f"{job.words} {job.scope}".strip()):
                        session.keep(page, job.store, place)
            break
        except ExchangeError as error:
            _wait(session, error)
    with session.door():
        session.run.steps_done += 1


def _wait(session: Session, error: ExchangeError) -> None:
    """Until the exchange allows more; every other refusal, and a long one, is raised. The run stays ours meanwhile."""
    if error.kind is not ErrorKind.RATE or error.retry_at is None:
        raise error
    if error.retry_at - session.clock() > LONGEST_WAIT:
        raise error
    while (left := (error.retry_at - session.clock()).total_seconds()) > 0:
        with session.door("Waiting until the exchange allows more"):
            pass
        sleep(min(left, 30.0))


def _spot(session: Session, span: Span) -> Iterator[_Job]:
    client = session.client
    for kind in client.transfer_kinds:
        ask = partial(_until, partial(client.transfers, kind), span.until)
        stream = _KINDS[kind]
        yield _Job(stream, "", partial(_walk, ask), movements.store_transfers, f"Reading {stream.value}")
    if client.has_conversions:
        walked = partial(_walk, partial(_until, client.conversions, span.until))
        yield _Job(Stream.CONVERSIONS, "", walked, store_conversions, "Reading conversions")
    for symbol in sorted(session.followed):
        for since, until in span.chunks():
            fills = partial(client.fills_between, symbol, since, until)
            yield _Job(Stream.FILLS, symbol, fills, ingest.store_fills, "Reading fills of")
        orders = partial(_walk, partial(client.orders, symbol))
        yield _Job(Stream.ORDERS, symbol, orders, ingest.store_orders, "Reading orders of")


def _contracts(session: Session, span: Span) -> Iterator[_Job]:
    contracts = session.client.derivatives
    if contracts is None:
        return
    for scope in contracts.trade_scopes(session.contracts()):
        for since, until in span.chunks():
            fills = partial(contracts.fills_between, scope, since, until)
            yield _Job(Stream.CONTRACT_FILLS, scope, fills, ingest.store_fills, "Reading contract fills")
        orders = partial(_walk, partial(contracts.orders, scope))
        yield _Job(Stream.CONTRACT_ORDERS, scope, orders, ingest.store_orders, "Reading contract orders")
    for scope in contracts.ledger_scopes():
        ask = partial(_until, partial(contracts.funding, scope), span.until)
        yield _Job(Stream.FUNDING, scope, partial(_walk, ask), movements.store_funding, "Reading funding")


def _until(ask: Callable[[str, datetime], Page[Any]], until: datetime, position: str) -> Page[Any]:
    return ask(position, until)


def _walk(ask: Callable[[str], Page[Any]]) -> Iterator[Page[Any]]:
    position, has_more = "", True
    while has_more:
        page = ask(position)
        has_more = page.has_more and page.next_position != position
        position = page.next_position
        yield page
