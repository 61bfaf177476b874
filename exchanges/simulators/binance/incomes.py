"""The income history: one row for every movement of the futures wallet."""

from collections.abc import Iterator
from dataclasses import dataclass

from exchanges.simulators.amounts import text
from exchanges.simulators.binance_like import encode
from exchanges.simulators.contract_account import MarginAccount

_KINDS = {"kickback": "REFERRAL_KICKBACK", "rebate": "COMMISSION_REBATE", "insurance": "INSURANCE_CLEAR"}


@dataclass(frozen=True, slots=True)
class Row:
    """`transaction` is unique within the kind only."""

    kind: str
    symbol: str
    asset: str
    amount: int
    at: int
    transaction: int
    trade: str = ""
    info: str = ""

    def wire(self) -> bytes:
        return encode(
            {
                "symbol": self.symbol,
                "incomeType": self.kind,
                "income": text(self.amount),
                "asset": self.asset,
                "info": self.info or self.kind,
                "time": self.at,
                "tranId": self.transaction,
                "tradeId": self.trade,
            }
        )


def rows(margin: MarginAccount) -> list[Row]:
    """Everything, oldest first."""
    return sorted(_all(margin), key=lambda row: (row.at, row.transaction, row.kind))


def _all(margin: MarginAccount) -> Iterator[Row]:
    for name, fills in margin.fills.items():
        for fill in fills:
            told = (fill.executed_at, fill.fill_id, str(fill.fill_id), str(fill.fill_id))
            yield Row("COMMISSION", name, fill.fee_asset, -fill.fee, *told)
            if fill.closed:
                settle = margin.terms.listings[name].settle
                yield Row("REALIZED_PNL", name, settle, fill.realized_pnl, *told)
    for paid in margin.funding:
        yield Row("FUNDING_FEE", paid.contract, paid.asset, paid.amount, paid.paid_at, paid.payment_id)
    for moved in margin.transfers:
        if "futures" in (moved.from_wallet, moved.to_wallet):
            amount = moved.amount if moved.to_wallet == "futures" else -moved.amount
            yield Row("TRANSFER", "", moved.asset, amount, moved.moved_at, moved.transfer_id)
    for income in margin.incomes:
        kind = _KINDS[income.kind]
        yield Row(kind, income.contract, income.asset, income.amount, income.happened_at, income.income_id)
