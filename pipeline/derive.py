"""From stored facts to what is shown: prices that are missing, books, snapshots, metrics."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges import registry
from exchanges.errors import ExchangeError
from marketdata import routes
from pipeline import market
from portfolio import metrics, rebuild, snapshots
from portfolio.valuations import PriceNeed

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Derived:
    """What was brought up to date; `blocked` books wait for prices, `problem` says why those did not come."""

    books: int = 0
    facts: int = 0
    candles: int = 0
    snapshots: int = 0
    metrics: int = 0
    blocked: dict[str, str] = field(default_factory=dict)
    problem: ExchangeError | None = None


def bring_up_to_date(
    *,
    user_id: UUID,
    account_id: UUID,
    at: datetime,
    from_zero: bool = False,
    now: Callable[[], datetime] = clock.now,
    beat: Callable[[str], None] = lambda step: None,
) -> Derived:
    """Fold stale books and what hangs on them. Opens its own doors; prices are fetched between them."""
    derived = Derived()
    try:
        needs = _needs(user_id=user_id, account_id=account_id, at=at)
        for exchange in routes.sources(
            {name for need in needs for name in need.also} & registry.supported().keys()
        ):
            market.freshen_prices(exchange=exchange, now=now)
        derived.candles = market.fetch_candles(needs, now=now, beat=beat)
    except ExchangeError as error:
        logger.warning("Prices for account %s: %s", account_id, error)
        derived.problem = error
    beat("Folding books")
    rebuilt = rebuild.rebuild_account(user_id=user_id, account_id=account_id, at=at, from_zero=from_zero)
    derived.books, derived.facts, derived.blocked = rebuilt.books, rebuilt.facts, dict(rebuilt.blocked)
    beat("Drawing the equity curve")
    for each in (account_id, *rebuilt.others):
        derived.snapshots += snapshots.refresh(user_id=user_id, account_id=each, at=at)
    beat("Measuring performance")
    derived.metrics = metrics.refresh(user_id=user_id, at=at, from_zero=from_zero)
    return derived


def _needs(*, user_id: UUID, account_id: UUID, at: datetime) -> list[PriceNeed]:
    """Candles that stale books and snapshots wait for."""
    hourly = rebuild.price_needs(user_id=user_id, account_id=account_id)
    with tenancy.acting_as(user_id):
        account = ExchangeAccount.objects.select_related("user").get(id=account_id)
        return [*hourly, *snapshots.price_needs(account=account, at=at)]
