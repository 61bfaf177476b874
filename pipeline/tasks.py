"""Celery's side: each task takes ids or nothing, asks the rows what is due, and does no harm when it comes twice."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError

from accounts import housekeeping
from core import clock
from core.errors import DomainError
from credentials.vault import Purpose
from exchanges import registry
from exchanges.errors import ExchangeError
from pipeline import broker, derive, dispatch, export_work, live, live_reads, market, measuring, sync
from pipeline.models import Trigger
from portfolio import metrics, snapshots

logger = logging.getLogger(__name__)

DISPATCHED: Final = 500  # accounts per dispatch
BATCH: Final = 10  # accounts per task
LONGEST_TASK: Final = timedelta(minutes=5)  # accounts not reached by then are hinted at again


@broker.app.task(name="pipeline.dispatch")
def dispatch_due() -> int:
    """Queue what is due and tell the workers; answers how many accounts."""
    ids = [str(each) for each in dispatch.claim_due_accounts(DISPATCHED, at=clock.now())]
    for start in range(0, len(ids), BATCH):
        broker.hint(broker.SYNC_TASK, [ids[start : start + BATCH]], queue=broker.SYNC)
    return len(ids)


@broker.app.task(name=broker.SYNC_TASK)
def sync_accounts(account_ids: Sequence[str]) -> int:
    """Work accounts one after another; answers how many had something to do."""
    return _sync_each(account_ids, Purpose.SYNC, Trigger.SCHEDULE)


@broker.app.task(name=broker.CHECK_TASK)
def check_keys(account_ids: Sequence[str]) -> int:
    """Ask the exchanges what new keys may do: somebody waits. The reading that follows is another task."""
    return _sync_each(account_ids, Purpose.KEY_CHECK, Trigger.CONNECT)


@broker.app.task(name=broker.LIVE_TASK)
def read_live(words: Mapping[str, Any], token: str) -> str:
    """Ask an exchange while somebody waits; answers how it went. Who comes too late does nothing."""
    reading = live.Reading.parse(words)
    if not live.is_wanted(reading, token):
        return "late"
    reason = "fault"
    try:
        reason = live_reads.perform(reading)
    finally:
        live.tell(reading, token, reason)
    return reason


@broker.app.task(name="pipeline.rebuild_stale")
def rebuild_stale(*, waiting: bool = False) -> int:
    """Fold books that no run folded; `waiting` tries the ones that lacked a price once more."""

    def work(owned: dispatch.Owned) -> bool:
        derive.bring_up_to_date(user_id=owned.user_id, account_id=owned.account_id, at=clock.now())
        return True

    return _each(dispatch.stale_accounts(limit=DISPATCHED, waiting=waiting), work)


@broker.app.task(name="pipeline.daily_snapshots")
def daily_snapshots() -> int:
    """Write the days that are over; a quiet account has no run that would."""

    def work(owned: dispatch.Owned) -> bool:
        at = clock.now()
        written = snapshots.refresh(user_id=owned.user_id, account_id=owned.account_id, at=at)
        if written:
            metrics.refresh(user_id=owned.user_id, at=at)
        return bool(written)

    return _each(dispatch.unfinished_days(at=clock.now(), limit=DISPATCHED), work)


@broker.app.task(name="pipeline.measure_excursions")
def measure_excursions() -> int:
    """How far trades that were folded went while they were held."""

    def work(owned: dispatch.Owned) -> bool:
        at = clock.now()
        return bool(measuring.measure_excursions(user_id=owned.user_id, account_id=owned.account_id, at=at))

    return _each(dispatch.unmeasured_accounts(at=clock.now(), limit=DISPATCHED), work)


@broker.app.task(name=broker.EXPORT_TASK)
def write_exports() -> int:
    """Write the files that wait, in their turn; throw away those that are over their time."""
    done, begun = 0, clock.now()
    for owner in dispatch.owners_of_expired_exports(at=begun, limit=DISPATCHED):
        export_work.sweep(user_id=owner, at=begun)
    for owner, export_id in dispatch.waiting_exports(at=begun, limit=BATCH):
        if clock.now() - begun > LONGEST_TASK:
            break
        try:
            done += export_work.write(user_id=owner, export_id=export_id, at=clock.now())
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("Export %s", export_id)
    return done


@broker.app.task(name="pipeline.refresh_prices")
def refresh_prices() -> int:
    """Of the price exchange, and of those where somebody has an account: they price what it does not list."""
    return sum(
        _public(exchange, partial(market.refresh_prices, exchange=exchange))
        for exchange in market.price_exchanges()
    )


@broker.app.task(name="pipeline.watch_exchanges")
def watch_exchanges() -> None:
    """Look whether outages are over."""
    market.watch().watch()


@broker.app.task(name="pipeline.refresh_listings")
def refresh_listings() -> int:
    return sum(
        _public(exchange, partial(market.refresh_listings, exchange=exchange))
        for exchange in registry.supported()
    )


@broker.app.task(name="pipeline.refresh_daily_candles")
def refresh_daily_candles() -> int:
    return _public(settings.PRICE_EXCHANGE, market.refresh_daily_candles)


@broker.app.task(name="pipeline.sweep_sessions")
def sweep_sessions() -> None:
    """Throw away what has long opened nothing."""
    logger.info("Swept: %s", housekeeping.sweep(at=clock.now()))


def _sync_each(account_ids: Sequence[str], purpose: Purpose, trigger: Trigger) -> int:
    def work(owned: dispatch.Owned) -> bool:
        run = sync.sync_account(
            user_id=owned.user_id,
            account_id=owned.account_id,
            trigger=trigger,
            at=clock.now(),
            clock=clock.now,
            purpose=purpose,
        )
        return run is not None

    return _each(dispatch.owners([UUID(each) for each in account_ids]), work)


def _each(accounts: Iterable[dispatch.Owned], work: Callable[[dispatch.Owned], bool]) -> int:
    """One account's trouble is not another's; answers for how many `work` did something."""
    done, begun = 0, clock.now()
    for owned in accounts:
        if clock.now() - begun > LONGEST_TASK:
            break
        try:
            done += work(owned)
        except (OperationalError, InterfaceError):  # nobody's, everybody's: the next dispatch tries again
            raise
        except DomainError as error:
            logger.info("Account %s: %s", owned.account_id, error.message)
        except Exception:
            logger.exception("Account %s", owned.account_id)
    return done


def _public(exchange: str, work: Callable[[], int]) -> int:
    """Public data that does not come now comes with the next beat; its age is shown until then."""
    try:
        return work()
    except ExchangeError as error:
        logger.warning("%s: %s", exchange, error)
        return 0
