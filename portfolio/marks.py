"""Marks of an account: moved in the transaction that does the work they tell of. Needs an open door."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.functions import TransactionNow
from django.db import connection
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest

from credentials.models import ExchangeAccount
from portfolio.models import AccountMark, Book

# Orders bear the time their transaction began and are seen when it ends: no transaction that stores them lasts longer.
_OVERLAP: Final = timedelta(minutes=5)

_FEES_WAIT: Final = """
INSERT INTO portfolio_accountmark (user_id, account_id, orders_to, fees_from)
VALUES (%s, %s, timestamptz 'epoch', %s)
ON CONFLICT (account_id) DO UPDATE SET fees_from = least(portfolio_accountmark.fees_from, excluded.fees_from)
"""

# In one order for all, that of `pools.members`: whoever shares a pool has its mark moved with the others.
_FOLDED: Final = """
INSERT INTO portfolio_accountmark (user_id, account_id, orders_to, fees_from, folded_from)
SELECT %(user)s, account_id, timestamptz 'epoch', %(stale)s, %(folded)s
FROM unnest(%(accounts)s::uuid[]) WITH ORDINALITY AS each (account_id, place) ORDER BY place
ON CONFLICT (account_id) DO UPDATE SET
  fees_from = least(portfolio_accountmark.fees_from, excluded.fees_from),
  folded_from = least(portfolio_accountmark.folded_from, excluded.folded_from)
"""

_HEARD: Final = """
INSERT INTO portfolio_accountmark (user_id, account_id, orders_to, heard_at)
VALUES (%s, %s, timestamptz 'epoch', %s)
ON CONFLICT (account_id) DO UPDATE SET heard_at = greatest(portfolio_accountmark.heard_at, excluded.heard_at)
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


def folded(
    *, book: Book, account_ids: Sequence[UUID], stale_from: datetime | None, folded_from: datetime
) -> None:
    """A book of these accounts was folded from `stale_from` on, and rows from `folded_from` on are new: what hangs on
    them follows in another transaction, whoever is left to do it."""
    scope: dict[str, Any] = {
        "user": book.user_id,
        "accounts": list(account_ids),
        "stale": stale_from,
        "folded": folded_from,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FOLDED, scope)


def followed(mark: AccountMark) -> None:
    """What hangs on the folded rows is done."""
    AccountMark.objects.filter(id=mark.id).update(folded_from=None)


def heard(*, account: ExchangeAccount, at: datetime) -> None:
    """The exchange told the account's balances."""
    with connection.cursor() as cursor:
        cursor.execute(_HEARD, [account.user_id, account.id, at])


def heard_at(*, account_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When the exchange told the balances of each account last; left out where that is not known."""
    marks = AccountMark.objects.filter(account_id__in=account_ids, heard_at__isnull=False)
    return {account: at for account, at in marks.values_list("account_id", "heard_at") if at is not None}


def fees_kept(mark: AccountMark, *, waiting: datetime | None) -> None:
    """Fees are kept as they should be, but for those from `waiting` on."""
    AccountMark.objects.filter(id=mark.id).update(fees_from=waiting)


def reconciled_at(*, account: ExchangeAccount) -> datetime | None:
    """When reports and facts were held against each other last; None: something waits for it, or never."""
    return AccountMark.objects.filter(account=account).values_list("reconciled_at", flat=True).first()


def coverage(*, account: ExchangeAccount) -> list[str]:
    """What is not known of its history, in codes."""
    found = AccountMark.objects.filter(account=account).values_list("coverage", flat=True).first()
    return list(found or ())


def compared_at(*, account: ExchangeAccount) -> datetime | None:
    """When they were last, whatever waits since; None: never."""
    last = AccountMark.objects.filter(account=account).annotate(last=Coalesce("compared_at", "reconciled_at"))
    return last.values_list("last", flat=True).first()


def reconciled(*, account: ExchangeAccount, at: datetime | None, coverage: list[str]) -> None:
    """Reports and facts were held against each other; None: they wait for it. `coverage`: what is not known of the
    history, in codes."""
    changed: dict[str, Any] = {"reconciled_at": at, "coverage": coverage}
    last = Coalesce("compared_at", "reconciled_at") if at is None else at
    AccountMark.objects.update_or_create(
        account=account,
        defaults={**changed, "compared_at": last},
        create_defaults={"user_id": account.user_id, **changed, "compared_at": at},
    )
