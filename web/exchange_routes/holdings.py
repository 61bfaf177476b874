"""Accounts and what they hold, in the frontend's shapes. Each read needs an open door."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Sum

from core import clock
from core.money import ZERO, quantize, text
from credentials.models import ExchangeAccount
from exchanges.rows import TransferKind, TransferStatus
from orders.models import Transfer
from portfolio.balances import latest_by_wallet
from portfolio.models import WalletBalance
from portfolio.selectors.positions import latest_prices
from web.exchange_routes.asking import Answer, Asked
from web.exchange_routes.shapes import Balance, BitgetAsset, NormalizedAccountInfo, NormalizedUserAsset

USD: Final = "USDT"  # what the frontend calls USD
_FUTURES: Final = "futures"
_BASIS_POINTS: Final = 10_000


@dataclass(slots=True)
class _Held:
    """An asset over the wallets and accounts asked for."""

    asset: str
    free: Decimal = ZERO
    locked: Decimal = ZERO
    reported_at: datetime = clock.EPOCH

    def add(self, row: WalletBalance) -> None:
        self.free += row.available
        self.locked += row.locked
        self.reported_at = max(self.reported_at, row.reported_at)


def account_info(asked: Asked) -> Answer:
    """What the keys may do and the accounts hold."""
    accounts = list(
        ExchangeAccount.objects.filter(id__in=asked.present_ids)
        .order_by("created_at", "id")
        .only("maker_commission", "taker_commission", "can_trade", "account_type", "permissions", "is_active")
    )
    return Answer(
        NormalizedAccountInfo(
            makerCommission=_highest(account.maker_commission for account in accounts),
            takerCommission=_highest(account.taker_commission for account in accounts),
            canTrade=any(account.can_trade for account in accounts),
            canWithdraw=False,
            canDeposit=any(account.is_active for account in accounts),
            accountType=accounts[0].account_type or "SPOT",
            balances=[Balance(held.asset, text(held.free), text(held.locked)) for held in _held(asked)],
            permissions=sorted({name for account in accounts for name in account.permissions}),
            exchange=asked.exchange,
            accounts=[account.id for account in accounts],
        )
    )


def user_assets(asked: Asked) -> Answer:
    """Every asset with a balance, the most valuable first."""
    held = _held(asked)
    leaving = _leaving(asked)
    points = latest_prices((each.asset, USD) for each in held)
    rows = []
    for each in held:
        point = points.get((each.asset, USD))
        rows.append(
            NormalizedUserAsset(
                asset=each.asset,
                free=text(each.free),
                locked=text(each.locked),
                freeze="0",
                withdrawing=text(leaving.get(each.asset, ZERO)),
                exchange=asked.exchange,
                usdValue=quantize((each.free + each.locked) * point.price) if point else None,
                pricePerUnit=point.price if point else None,
            )
        )
    rows.sort(key=lambda row: (row.usdValue is None, -(row.usdValue or ZERO), row.asset))
    return Answer(rows)


def bitget_assets(asked: Asked) -> Answer:
    """Coins by Bitget's names: `frozen` is what orders hold, which is all that our books tell apart."""
    return Answer(
        [
            BitgetAsset(
                coin=each.asset,
                available=text(each.free),
                frozen=text(each.locked),
                locked="0",
                limitAvailable="0",
                uTime=str(clock.to_ms(each.reported_at)),
            )
            for each in _held(asked)
        ]
    )


def _held(asked: Asked) -> list[_Held]:
    """By asset. Only contracts have a wallet of another market."""
    found: dict[str, _Held] = {}
    for row in latest_by_wallet(account_ids=asked.present_ids):
        if asked.market == "all" or (row.wallet == _FUTURES) == (asked.market == _FUTURES):
            found.setdefault(row.asset, _Held(row.asset)).add(row)
    return [found[asset] for asset in sorted(found) if found[asset].free or found[asset].locked]


def _leaving(asked: Asked) -> dict[str, Decimal]:
    """Withdrawals under way, by asset."""
    rows = Transfer.objects.filter(
        account_id__in=asked.present_ids,
        kind=TransferKind.WITHDRAWAL,
        status=TransferStatus.PENDING,
    )
    return dict(rows.values_list("asset").annotate(Sum("amount")).order_by())


def _highest(rates: Iterable[Decimal | None]) -> Decimal | None:
    """Of shares, in basis points; None if nothing is known."""
    known = [rate for rate in rates if rate is not None]
    return max(known) * _BASIS_POINTS if known else None
