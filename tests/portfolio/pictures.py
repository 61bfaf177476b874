"""What books were folded into, as values that can be compared."""

from typing import Any

from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio.models import Allocation, BookDay, Fee, Position, Trade


def rows(account: ExchangeAccount, model: Any, *columns: str, **filters: Any) -> list[tuple[Any, ...]]:
    with tenancy.acting_as(account.user_id):
        return list(model.objects.filter(account=account, **filters).order_by("id").values_list(*columns))


def picture(account: ExchangeAccount) -> dict[str, list[tuple[Any, ...]]]:
    """Every derived row of the account, ids left out."""
    with tenancy.acting_as(account.user_id):
        return {
            "positions": sorted(
                Position.objects.values_list(
                    "book__asset", "opening_fill__exchange_fill_id", "status", "quantity", "total_cost",
                    "entered_quantity",
                    "entered_cost", "gross_pnl", "net_pnl", "fees_paid", "unknown_quantity", "opened_at",
                )
            ),
            "trades": sorted(
                Trade.objects.values_list(
                    "position__book__asset", "symbol", "exit_order_id", "kind", "exit_quantity", "cost", "proceeds",
                    "gross_pnl", "entry_fees", "exit_fees", "net_pnl", "exit_type", "closes_position",
                )
            ),
            "allocations": sorted(
                Allocation.objects.values_list(
                    "trade__position__book__asset", "exit_fill__exchange_fill_id", "sequence", "quantity", "cost",
                    "proceeds", "entry_fee", "exit_fee",
                )
            ),
            "days": sorted(BookDay.objects.values_list("book__asset", "day", "quantity", "cost", "gross_pnl", "fees")),
            "fees": sorted(Fee.objects.values_list("fill__exchange_fill_id", "fee_currency", "fee_amount", "value")),
        }  # fmt: skip
