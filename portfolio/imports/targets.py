"""Which account the facts of a file's account go into: one of an import before, the same at the exchange, one that is
named, or a new one."""

from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from accounts.models import User
from core.errors import Invalid
from credentials import accounts
from credentials.models import Exchange, ExchangeAccount
from orders.models import Fill, FundingPayment, Order, Transfer
from portfolio import marks
from portfolio.exports import records
from portfolio.imports import storing

_FACTS: Final[tuple[Any, ...]] = (Fill, Order, Transfer, FundingPayment)


class Target(NamedTuple):
    account: ExchangeAccount
    notes: tuple[str, ...] = ()


def find(*, user: User, described: records.Account, label: str | None) -> Target:
    """Inside the owner's open door. Raises Invalid, LabelTaken."""
    rows = ExchangeAccount.objects.select_related("user")
    own = rows.filter(id=described.id).first()
    if own is not None and label is None:
        raise Invalid(
            f"These facts are here already, as {own.label!r}: name an account to have a copy beside it."
        )
    if (before := _imported(user, described)) is not None:
        moved = f"These facts went into {before.label!r} before, and do so now."
        return Target(before, (moved,) if label not in (None, before.label) else ())
    notes = () if own is None else (f"A copy of {own.label!r}: totals over all accounts count both.",)
    if label is not None:
        return Target(_named(label, described) or _new(user, described, label), notes)
    if (same := _same(described)) is not None:
        return Target(same, (f"{described.label!r} is {same.label!r} at the exchange: its facts go there.",))
    return Target(_new(user, described, accounts.free_label(described.label)))


def is_reported(account: ExchangeAccount) -> bool:
    """Whether the exchange itself tells what the account holds: no file does then."""
    return account.is_active and account.exchange != Exchange.FILES


def _id(user: User, described: records.Account) -> UUID:
    """Of the account an import opens: so one that no fact leads to is found again, too."""
    return uuid5(described.id, str(user.id))


def _imported(user: User, described: records.Account) -> ExchangeAccount | None:
    rows = ExchangeAccount.objects.select_related("user")
    source = storing.source_of(described.id)
    for model in _FACTS:
        found: UUID | None = model.objects.filter(source=source).values_list("account_id", flat=True).first()
        if found is not None:
            return rows.get(id=found)
    return rows.filter(id=_id(user, described)).first()


def _same(described: records.Account) -> ExchangeAccount | None:
    """The account of one uid at the exchange is one, whatever was told of it where."""
    if not described.exchange_uid:
        return None
    return (
        ExchangeAccount.objects.select_related("user")
        .filter(exchange=described.exchange, mode=described.mode, exchange_uid=described.exchange_uid)
        .first()
    )


def _named(label: str, described: records.Account) -> ExchangeAccount | None:
    """The empty account of that label. Raises Invalid."""
    rows = ExchangeAccount.objects.select_related("user").filter(label=label)
    named = rows.order_by("-is_active", "-created_at").first()
    if named is None:
        return None
    if (named.exchange, named.mode) != (described.exchange, described.mode):
        raise Invalid(
            f"{label!r} is an account of {named.exchange} ({named.mode}), the file's is of another."
        )
    if is_reported(named) or any(model.objects.filter(account_id=named.id).exists() for model in _FACTS):
        raise Invalid(f"{label!r} is not empty, or has a key: name one that is not there yet.")
    return named


def _new(user: User, described: records.Account, label: str) -> ExchangeAccount:
    """Of which no more is known than was where it comes from."""
    account = accounts.open_without_key(
        user_id=user.id,
        label=label,
        exchange=described.exchange,
        mode=described.mode,
        exchange_uid=described.exchange_uid,
        account_id=_id(user, described),
    )
    marks.reconciled(account=account, at=None, coverage=described.coverage)
    return account
