"""Marks of an account: moved in the transaction that does the work they tell of. Needs an open door."""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.postgres.functions import TransactionNow
from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest

from credentials.models import ExchangeAccount
from portfolio.models import AccountMark

# Orders bear the time their transaction began and are seen when it ends: no transaction that stores them lasts longer.
_OVERLAP: Final = timedelta(minutes=5)

_FEES_WAIT: Final = """
INSERT INTO portfolio_accountmark (user_id, account_id, orders_to, fees_from)
VALUES (%s, %s, timestamptz 'epoch', %s)
ON CONFLICT (account_id) DO UPDATE SET fees_from = least(portfolio_accountmark.fees_from, excluded.fees_from)
"""


def locked(account: ExchangeAccount) -> AccountMark:
    """The account's marks. Whoever else would move them waits until this transaction ends."""
    marks = AccountMark.objects.select_for_update()
    return marks.get_or_create(account=account, defaults={"user_id": account.user_id})[0]


def orders_followed(mark: AccountMark) -> None:
    """What orders said when this transaction began is done."""
    AccountMark.objects.filter(id=mark.id).update(
        orders_to=Greatest(F("orders_to"), TransactionNow() - _OVERLAP)
    )


def fees_wait(*, account: ExchangeAccount, since: datetime) -> None:
    """Facts from a moment on may have fees that are not kept yet."""
    with connection.cursor() as cursor:
        cursor.execute(_FEES_WAIT, [account.user_id, account.id, since])


def fees_kept(mark: AccountMark, *, waiting: datetime | None) -> None:
    """Fees are kept as they should be, but for those from `waiting` on."""
    AccountMark.objects.filter(id=mark.id).update(fees_from=waiting)
