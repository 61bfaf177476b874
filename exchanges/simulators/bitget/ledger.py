"""The ledger of the futures wallet, one row for every movement, and transfers between the wallets."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from exchanges.simulators.account import Account
from exchanges.simulators.bitget import mix_wire, names
from exchanges.simulators.bitget.wire import encode, short
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import WalletTransfer

FUNDING: Final = "contract_settle_fee"
_INCOMES: Final = {
    "kickback": "bonus_issue",
    "rebate": "cash_gift_issue",
    "insurance": "risk_captital_user_transfer",
}
_WALLETS: Final = {"spot": "spot", "margin": "crossed_margin", "funding": "p2p"}


@dataclass(frozen=True, slots=True)
class Bill:
    """`fee` below zero is a cost."""

    bill_id: int
    symbol: str
    coin: str
    kind: str
    amount: int
    fee: int
    at: int

    def wire(self) -> bytes:
        return encode(
            {
                "billId": str(self.bill_id),
                "symbol": self.symbol,
                "amount": short(self.amount),
                "fee": short(self.fee),
                "feeByCoupon": "",
                "businessType": self.kind,
                "coin": self.coin,
                "balance": "0",
                "cTime": str(self.at),
            }
        )


def bills(margin: MarginAccount) -> Iterator[Bill]:
    for name, fills in margin.fills.items():
        symbol, coin = names.contract(name), names.settle(name)
        for fill in fills:
            told = mix_wire.trade_side(fill.is_buyer, fill.position_side, is_liquidation=fill.is_liquidation)
            kind = f"{told}_{fill.position_side.lower()}" if told in ("open", "close") else told
            number = names.bill_id("fill", fill.executed_at, fill.fill_id)
            yield Bill(number, symbol, coin, kind, fill.realized_pnl, -fill.fee, fill.executed_at)
    for paid in margin.funding:
        number = names.bill_id("funding", paid.paid_at, paid.payment_id)
        yield Bill(number, names.contract(paid.contract), paid.asset, FUNDING, paid.amount, 0, paid.paid_at)
    for moved in margin.transfers:
        if "futures" in (moved.from_wallet, moved.to_wallet):
            comes = moved.to_wallet == "futures"
            other = moved.from_wallet if comes else moved.to_wallet
            kind = f"trans_{'from' if comes else 'to'}_{'exchange' if other == 'spot' else 'cross'}"
            amount = moved.amount if comes else -moved.amount
            number = names.bill_id("transfer", moved.moved_at, moved.transfer_id)
            yield Bill(number, "", moved.asset, kind, amount, 0, moved.moved_at)
    for income in margin.incomes:
        number = names.bill_id("income", income.happened_at, income.income_id)
        symbol = names.contract(income.contract) if income.contract else ""
        kind = _INCOMES[income.kind]
        yield Bill(number, symbol, income.asset, kind, income.amount, 0, income.happened_at)


def transfers(account: Account) -> list[WalletTransfer]:
    return account.margin.transfers if account.margin else []


def record(row: WalletTransfer) -> bytes:
    """A row of transferRecords."""
    return encode(
        {
            "coin": row.asset,
            "status": "Successful",
            "toType": wallet(row.to_wallet, row.asset),
            "toSymbol": "",
            "fromType": wallet(row.from_wallet, row.asset),
            "fromSymbol": "",
            "size": short(row.amount),
            "ts": str(row.moved_at),
            "clientOid": str(row.transfer_id),
            "transferId": str(row.transfer_id),
        }
    )


def wallet(name: str, asset: str) -> str:
    return f"{asset.lower()}_futures" if name == "futures" else _WALLETS[name]
