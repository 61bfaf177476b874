"""What need not be asked for, because the answer is known already."""

from exchanges import registry
from exchanges.rows import MarketType
from orders.models import Order
from pipeline.session import Session
from portfolio.balances import latest_by_wallet

_OPEN = ("NEW", "PARTIALLY_FILLED")
_SPOT = "spot"


def no_spot_order_is_open(session: Session) -> bool:
    """Where every open order locks a balance: this very run's report has nothing locked, and no order is known open.

    The list of all open orders is the dearest question of those asked every few minutes. Opens a door.
    """
    entry = registry.supported()[session.account.exchange]
    if not entry.locks_open_orders or session.reported_at is None:
        return False
    with session.door():
        orders = Order.objects.filter(account=session.account, market_type=MarketType.SPOT, status__in=_OPEN)
        rows = latest_by_wallet(account_ids=[session.account.id])
        return not orders.exists() and not any(row.locked for row in rows if row.wallet == _SPOT)
