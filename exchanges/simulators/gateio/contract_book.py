"""The ledger of a futures wallet as Gate.io writes it: transfers, profits, fees, funding and rebates."""

from collections.abc import Iterator

from exchanges.simulators import liquidations
from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.following import follows
from exchanges.simulators.gateio import contract_wire as wire
from exchanges.simulators.gateio.contract_wire import Json
from exchanges.simulators.gateio.wire import short

Row = tuple[int, str, int, Json]  # (moment, kind, change, what else is told)


def rows(margin: MarginAccount, settle: str) -> list[Json]:
    """Everything that ever changed the wallet, newest first."""
    return _books(margin)[settle]


def _facts(margin: MarginAccount) -> tuple[int, ...]:
    by_contract = [sum(map(len, rows.values())) for rows in (margin.orders, margin.fills)]
    told = (len(margin.transfers), len(margin.funding), len(margin.incomes))
    return (margin.updated_at, *by_contract, *told)


@follows(_facts)
def _books(margin: MarginAccount) -> dict[str, list[Json]]:
    """By settlement."""
    return {settle: _book(margin, settle) for settle in wire.SETTLES}


def _book(margin: MarginAccount, settle: str) -> list[Json]:
    told: list[Json] = []
    balance = 0
    for at, kind, change, more in sorted(_movements(margin, settle), key=lambda row: row[0]):
        balance += change
        told.append(
            {
                "time": wire.seconds(at),
                "change": short(change),
                "balance": short(balance),
                "type": kind,
                "text": "",
                "contract": "",
                "trade_id": "",
                **more,
            }
        )
    return told[::-1]


def _movements(margin: MarginAccount, settle: str) -> Iterator[Row]:
    asset, listings = wire.SETTLES[settle], margin.terms.listings
    for transfer in margin.transfers:
        if transfer.asset == asset and "futures" in (transfer.from_wallet, transfer.to_wallet):
            change = transfer.amount if transfer.to_wallet == "futures" else -transfer.amount
            yield transfer.moved_at, "dnw", change, {"id": str(transfer.transfer_id)}
    for name, fills in margin.fills.items():
        listing = listings[name]
        for fill in fills if listing.settle == asset else ():
            about = {
                "contract": wire.name(listing),
                "trade_id": str(fill.fill_id),
                "text": f"{wire.name(listing)}:{fill.order_id}",
            }
            if fill.closed:
                yield fill.executed_at, "pnl", fill.realized_pnl, {**about, "id": f"{fill.fill_id}1"}
            fee = fill.fee + liquidations.fee_of(margin, fill)
            if fee:
                yield fill.executed_at, "fee", -fee, {**about, "id": f"{fill.fill_id}2"}
    for payment in margin.funding:
        if payment.asset == asset:
            contract = wire.name(listings[payment.contract])
            about = {"contract": contract, "text": contract, "id": str(payment.payment_id)}
            yield payment.paid_at, "fund", payment.amount, about
    for income in margin.incomes:
        if income.asset == asset and income.amount > 0:
            yield income.happened_at, "refr", income.amount, {"id": str(income.income_id)}
