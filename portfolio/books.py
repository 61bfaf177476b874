"""Books and the days of assets: what new facts make stale, and by how much balances should have changed."""

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Min, Q, QuerySet

from core import clock, money
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import MarketType
from marketdata.models import Listing
from orders import fact_days, facts
from orders.facts import AssetChange
from orders.touched import Touched
from portfolio import marks, pools
from portfolio.models import AssetDay, Book

# The finest step a spot exchange trades in, for coins that are listed nowhere any more.
FINEST_STEP: Final = Decimal("0.00000001")

NOT_GIVEN_UP: Final = Q(stale_from__isnull=False) | ~Q(engine_version=0)
"""Of books that their owner does not want any more: something of them may be left."""

_LIMIT: Final = Decimal(10) ** (money.DIGITS - money.PLACES)
logger = logging.getLogger(__name__)

IN_ORDER: Final = ("-market_type", "pool", "asset", "side", "id")
"""In which whoever locks several books does: coins by account, then pools, then contracts. Two who lock the same ones
at once would else wait for each other."""

_MARK = """
INSERT INTO portfolio_book
  (user_id, account_id, market_type, asset, side, currency, method, step, state, stale_from, fact_count, engine_version,
   blocked_reason)
SELECT %(user)s, %(account)s, 'spot', asset, '', %(currency)s, %(method)s, step, '{}', stale_from, 0, 0, ''
FROM unnest(%(assets)s::text[], %(steps)s::numeric[], %(moments)s::timestamptz[]) AS new (asset, step, stale_from)
ORDER BY asset
ON CONFLICT (account_id, market_type, asset, side) WHERE pool = ''
DO UPDATE SET stale_from = least(portfolio_book.stale_from, excluded.stale_from) WHERE excluded.stale_from IS NOT NULL
"""
# A pool's book hangs on the first account that has one of the coin.
_MARK_POOLS = """
INSERT INTO portfolio_book
  (user_id, account_id, pool, market_type, asset, side, currency, method, step, state, stale_from, fact_count,
   engine_version, blocked_reason)
SELECT %(user)s, (array_agg(a.id ORDER BY a.created_at, a.id))[1], a.mode, 'spot', b.asset, '', %(currency)s,
       %(method)s, min(b.step), '{}', new.stale_from, 0, 0, ''
FROM unnest(%(assets)s::text[], %(moments)s::timestamptz[]) AS new (asset, stale_from)
JOIN portfolio_book b ON b.user_id = %(user)s AND b.asset = new.asset AND b.market_type = 'spot' AND b.pool = ''
JOIN credentials_exchangeaccount a ON a.id = b.account_id AND a.mode = %(mode)s
GROUP BY b.asset, a.mode, new.stale_from ORDER BY b.asset
ON CONFLICT (user_id, pool, asset) WHERE NOT pool = ''
DO UPDATE SET stale_from = least(portfolio_book.stale_from, excluded.stale_from)
"""
_MARK_CONTRACTS = """
INSERT INTO portfolio_book
  (user_id, account_id, market_type, asset, side, currency, method, step, state, stale_from, fact_count, engine_version,
   blocked_reason)
SELECT %s, %s, 'futures', symbol, side, %s, %s, 1e-18, '{}', stale_from, 0, 0, ''
FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS new (symbol, side, stale_from)
ORDER BY symbol, side
ON CONFLICT (account_id, market_type, asset, side) WHERE pool = ''
DO UPDATE SET stale_from = least(portfolio_book.stale_from, excluded.stale_from)
"""


def mark_stale(*, account: ExchangeAccount, touched: Touched) -> None:
    """Note in the facts' own transaction which books must be folded again, and recount the touched days."""
    moments = {asset: at for asset, at in touched.assets.items() if asset not in settings.CASH_ASSETS}
    if moments:
        _mark_coins(account, moments)
    if touched.contracts:
        _mark_contracts(account, touched)
    if cash := [at for asset, at in touched.assets.items() if asset in settings.CASH_ASSETS]:
        marks.fees_wait(account=account, since=min(cash))
    if touched.days:
        _recount_days(account, touched)


def _mark_coins(account: ExchangeAccount, moments: Mapping[str, datetime]) -> None:
    """Where coins are pooled the account's own books stand by: they say which coins it has to do with, and their step;
    and its fees wait, as another account's run may fold the pool."""
    steps, is_pooled = _steps(account, moments), pools.is_wanted(account.user)
    scope = _scope(account, moments) | {"steps": [steps[asset] for asset in moments]}
    own = {"moments": [None] * len(moments)} if is_pooled else {}
    with connection.cursor() as cursor:
        cursor.execute(_MARK, scope | own)
    if is_pooled:
        mark_pools(account, moments)
        marks.fees_wait(account=account, since=min(moments.values()))


def mark_pools(account: ExchangeAccount, moments: Mapping[str, datetime]) -> None:
    """The pools that the account's coins are in, made where there is none yet, are stale from these moments on."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_POOLS, _scope(account, moments))


def _scope(account: ExchangeAccount, moments: Mapping[str, datetime]) -> dict[str, Any]:
    owner = account.user
    return {
        "assets": list(moments),
        "moments": list(moments.values()),
        "user": account.user_id,
        "account": account.id,
        "mode": account.mode,
        "currency": owner.reporting_currency,
        "method": owner.cost_method,
    }


def _mark_contracts(account: ExchangeAccount, touched: Touched) -> None:
    owner = account.user
    symbols, sides = zip(*touched.contracts, strict=True)
    moments = list(touched.contracts.values())
    with connection.cursor() as cursor:
        cursor.execute(
            _MARK_CONTRACTS,
            [
                account.user_id,
                account.id,
                owner.reporting_currency,
                owner.cost_method,
                list(symbols),
                list(sides),
                moments,
            ],
        )
    marks.fees_wait(account=account, since=min(moments))


def of(account: ExchangeAccount) -> QuerySet[Book]:
    """The account's books and the pools of its mode, whichever of them its owner wants."""
    return Book.objects.filter(Q(account=account, pool="") | Q(pool=account.mode))


def wanted(*, is_pooled: bool) -> Q:
    """Books in force: of coins those that their owner wants, of contracts all."""
    return ~Q(market_type=MarketType.SPOT) | (~Q(pool="") if is_pooled else Q(pool=""))


def lock(rows: QuerySet[Book]) -> None:
    """Nobody marks or folds these books until this transaction ends."""
    list(rows.select_for_update(of=("self",)).order_by(*IN_ORDER).values_list("id"))


def mark_all_stale(*, account: ExchangeAccount) -> int:
    """Forget every fold of an account, and of the pools it is in; answers how many books there are. Facts are older
    than the account's row."""
    is_pooled = pools.is_wanted(account.user)
    lock(of(account))
    if is_pooled:
        coins = Book.objects.filter(account__mode=account.mode, market_type=MarketType.SPOT, pool="")
        mark_pools(account, dict.fromkeys(coins.values_list("asset", flat=True), clock.EPOCH))
    forgotten = of(account).filter(wanted(is_pooled=is_pooled) | NOT_GIVEN_UP)
    return forgotten.update(state={}, engine_version=0, stale_from=clock.EPOCH)


def recount_days(*, account: ExchangeAccount) -> None:
    """Count every day of every asset once more from the facts. Needs an open door."""
    stored = set(AssetDay.objects.filter(account=account).values_list("asset", "day"))
    _recount_days(account, Touched(days=stored | fact_days.pairs(account_id=account.id)))


def left_to_recompute(*, user_id: UUID) -> int:
    """How many books wait to be folded anew from their first fact. Opens its own door."""
    with tenancy.acting_as(user_id):
        return Book.objects.filter(stale_from=clock.EPOCH).count()


def _steps(account: ExchangeAccount, assets: Collection[str]) -> dict[str, Decimal]:
    """The smallest step each asset trades in, pinned when its book is made."""
    listed: Iterable[tuple[str, Decimal]] = (
        Listing.objects.filter(exchange=account.exchange, symbol__base_asset__in=assets, quantity_step__gt=0)
        .values("symbol__base_asset")
        .annotate(step=Min("quantity_step"))
        .values_list("symbol__base_asset", "step")
    )
    return dict.fromkeys(assets, FINEST_STEP) | dict(listed)


def _recount_days(account: ExchangeAccount, touched: Touched) -> None:
    changes = facts.asset_changes(account_id=account.id, pairs=touched.days)
    kept = [change for change in changes if is_storable(change)]
    if len(kept) < len(changes):
        _set_aside(account, [change for change in changes if not is_storable(change)])
    rows = [
        AssetDay(
            user_id=account.user_id,
            account=account,
            asset=change.asset,
            day=change.day,
            traded=change.traded,
            deposited=change.deposited,
            withdrawn=change.withdrawn,
            withdrawal_fees=change.withdrawal_fees,
            settled=change.settled,
            funding=change.funding,
            income=change.income,
            moved=change.moved,
        )
        for change in kept
    ]
    AssetDay.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["account", "asset", "day"],
        update_fields=[
            *("traded", "deposited", "withdrawn", "withdrawal_fees", "settled", "funding", "income", "moved"),
            "updated_at",
        ],
        batch_size=1000,
    )


def is_storable(change: AssetChange) -> bool:
    """Whether a column holds its sums."""
    return all(abs(amount) < _LIMIT for amount in change[2:])


def _set_aside(account: ExchangeAccount, changes: Iterable[AssetChange]) -> None:
    """Days whose sums no column holds: none stands for them, rather than one that is wrong, and the coin's book, where
    it has one, says so until it is folded."""
    for change in changes:
        reason = f"The sums of {change.asset} on {change.day} have more digits than can be stored."
        logger.warning("Account %s: %s", account.id, reason)
        AssetDay.objects.filter(account=account, asset=change.asset, day=change.day).delete()
        of(account).filter(asset=change.asset).update(blocked_reason=reason)
