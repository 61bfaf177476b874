"""Two accounts of one user, whose coins are pooled."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import User
from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import Fill, Transfer
from portfolio import rebuild
from portfolio.models import Allocation, Book, BookDay, Fee, MovedLot, Position, Trade
from tests.factories import AccountFactory, UserFactory
from tests.portfolio.books import START, fill, touch, transfer
from web import profiles


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


class Pool:
    """`here` and `there`; ids of fills repeat across them."""

    def __init__(self, user: User | None = None, **more: Any) -> None:
        self.user = user or UserFactory.create(**{"cost_scope": "all", **more})
        self.here = AccountFactory.create(user=self.user)
        self.there = AccountFactory.create(user=self.user, exchange="mexc")

    def account(self, name: str) -> ExchangeAccount:
        found: ExchangeAccount = getattr(self, name)
        return found

    def fill(self, where: str, side: str, quantity: str, price: str, minute: int, **more: Any) -> Fill:
        return fill(self.account(where), side, quantity, price, executed_at=at(minute), **more)

    def sent(self, amount: str, minute: int, **more: Any) -> Transfer:
        return transfer(
            self.here, kind="WITHDRAWAL", asset="BTC", amount=Decimal(amount), occurred_at=at(minute), **more
        )

    def came(self, amount: str, minute: int, **more: Any) -> Transfer:
        return transfer(self.there, asset="BTC", amount=Decimal(amount), occurred_at=at(minute), **more)

    def fold(self, *facts: Fill | Transfer, at_account: str = "here") -> rebuild.RebuildResult:
        """Touch each account's facts, and fold as a run of one of them does."""
        for account in (self.here, self.there):
            touch(account, [fact for fact in facts if fact.account_id == account.id])
        return self.rebuild(at_account)

    def rebuild(self, where: str = "here", *, from_zero: bool = False) -> rebuild.RebuildResult:
        return rebuild.rebuild_account(
            user_id=self.user.id, account_id=self.account(where).id, at=at(9999), from_zero=from_zero
        )

    def keep(self, **changes: Any) -> None:
        """Change how books are kept, and fold all of them as the background does."""
        profiles.update(user=self.user, at=at(9999), **changes)
        for account in (self.here, self.there):
            account.user = self.user
        self.settle()

    def settle(self) -> None:
        for _ in range(4):
            self.rebuild("here")
            self.rebuild("there")
            if not self.told(Book, "id", stale_from__isnull=False):
                return
        raise AssertionError("The books do not come to rest.")

    def told(self, model: Any, *columns: str, **filters: Any) -> list[Any]:
        with tenancy.acting_as(self.user.id):
            rows = model.objects.filter(**filters).order_by("id")
            return list(rows.values_list(*columns, flat=len(columns) == 1))

    def picture(self) -> dict[str, list[Any]]:
        """Every derived row, ids left out."""
        return {
            model.__name__: sorted(self.told(model, *columns), key=str) for model, columns in _COLUMNS.items()
        }


_COLUMNS: dict[Any, tuple[str, ...]] = {
    Book: ("account", "pool", "asset", "step", "method", "state", "folded_to", "engine_version", "stale_from"),
    Position: (
        "account", "book__pool", "symbol", "exchange", "opening_fill", "opening_transfer", "status", "quantity",
        "total_cost", "entered_quantity", "entered_cost", "gross_pnl", "net_pnl", "fees_paid", "checkpoint",
    ),
    Trade: (
        "account", "symbol", "exchange", "exit_order_id", "first_exit_fill", "kind", "exit_quantity", "cost",
        "proceeds", "net_pnl", "unknown_quantity", "exit_type", "closes_position", "position__opening_fill",
    ),
    Allocation: (
        "account", "exit_fill", "sequence", "source", "entry_fill", "entry_transfer", "quantity", "cost", "entry_fee",
    ),
    BookDay: ("book__pool", "account", "day", "quantity", "cost", "unknown_quantity", "gross_pnl", "moved_cost"),
    MovedLot: ("account", "transfer", "sequence", "source", "quantity", "cost", "entry_fee", "entry_fill"),
    Fee: ("account", "fill", "transfer", "fee_currency", "value"),
}  # fmt: skip
