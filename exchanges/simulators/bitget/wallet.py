"""Signed endpoints about whose key it is, the funding wallet, and what came, went and was moved."""

from collections.abc import Callable
from typing import Any, Final

from exchanges.simulators import amounts
from exchanges.simulators.bitget import ledger, names, wire
from exchanges.simulators.bitget.context import Answer, Context, Rows, SignedEndpoint
from exchanges.simulators.bitget.parameters import Parameters
from exchanges.simulators.contract_facts import WalletTransfer
from exchanges.simulators.facts import Transfer

_DAYS: Final = 90
_MOST_BILLS: Final = 500
_RIGHTS: Final = ("coor", "cpor", "stor", "wtor")


def info(context: Context, parameters: Parameters) -> Answer:
    account = context.account
    rights = [*_RIGHTS, "wwow"] if account.can_withdraw else list(_RIGHTS)
    return wire.encode(
        {
            "userId": str(account.uid),
            "inviterId": "",
            "ips": "",
            "authorities": rights,
            "parentId": 0,
            "traderType": "not_trader",
            "channelCode": "",
            "channel": "",
            "regisTime": str(context.world.market.first_day_ms),
        }
    )


def deposits(context: Context, parameters: Parameters) -> Answer:
    return _page(context, parameters, context.account.deposits, wire.deposit)


def withdrawals(context: Context, parameters: Parameters) -> Answer:
    return _page(context, parameters, context.account.withdrawals, wire.withdrawal)


def funding_assets(context: Context, parameters: Parameters) -> Answer:
    """Nobody here pays or trades with persons."""
    return Rows([])


def bills(context: Context, parameters: Parameters) -> Answer:
    """The spot wallet's ledger: what came, went and was moved; trades are left out."""
    span = parameters.span(context.now_ms, days=_DAYS)
    limit, below = parameters.limit(most=_MOST_BILLS), parameters.below()
    coin, group = parameters.text("coin").upper(), parameters.text("groupType")
    rows = [
        row
        for row in _bills(context)
        if int(row["cTime"]) in span
        and int(row["billId"]) < below
        and coin in ("", row["coin"])
        and group in ("", row["groupType"])
    ]
    rows.sort(key=lambda row: int(row["billId"]), reverse=True)
    return Rows([wire.encode(row) for row in rows[:limit]])


def transfer_records(context: Context, parameters: Parameters) -> Answer:
    """Between wallets, by coin, newest first."""
    coin, origin = parameters.required("coin").upper(), parameters.text("fromType")
    span = parameters.span(context.now_ms, days=_DAYS)
    limit, below = parameters.limit(most=_MOST_BILLS), parameters.below()
    rows = [
        row
        for row in ledger.transfers(context.account)
        if row.asset == coin
        and row.moved_at in span
        and row.transfer_id < below
        and origin in ("", ledger.wallet(row.from_wallet, coin))
    ]
    rows.sort(key=lambda row: row.transfer_id, reverse=True)
    return Rows([ledger.record(row) for row in rows[:limit]])


def trade_rate(context: Context, parameters: Parameters) -> Answer:
    parameters.required("symbol"), parameters.required("businessType")
    house = context.account.house
    return wire.encode({"makerFeeRate": _rate(house.maker_fee), "takerFeeRate": _rate(house.taker_fee)})


def _bills(context: Context) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for group, transfers in (
        ("deposit", context.account.deposits),
        ("withdraw", context.account.withdrawals),
    ):
        for row in transfers:
            if not row.moves_balance:
                continue
            sign = "" if group == "deposit" else "-"
            told = {"size": sign + wire.short(row.amount), "fees": wire.short(-row.fee) if row.fee else "0"}
            rows.append(_bill(row, group) | told)
    return rows + [
        _moved(row) for row in ledger.transfers(context.account) if "spot" in (row.from_wallet, row.to_wallet)
    ]


def _moved(row: WalletTransfer) -> dict[str, Any]:
    comes = row.to_wallet == "spot"
    return {
        "cTime": str(row.moved_at),
        "coin": row.asset,
        "groupType": "transfer",
        "businessType": "TRANSFER_IN" if comes else "TRANSFER_OUT",
        "size": wire.short(row.amount if comes else -row.amount),
        "fees": "0",
        "balance": "0",
        "billId": str(names.bill_id("transfer", row.moved_at, row.transfer_id)),
    }


def _bill(row: Transfer, group: str) -> dict[str, Any]:
    return {
        "cTime": str(row.applied_at),
        "coin": row.asset,
        "groupType": group,
        "businessType": group.upper(),
        "balance": "0",
        "billId": str(names.transfer_id(row)),
    }


def _page(
    context: Context, parameters: Parameters, rows: list[Transfer], told: Callable[[Transfer], dict[str, Any]]
) -> Answer:
    """Both times must be told; newest first, 20 by default."""
    parameters.required("startTime"), parameters.required("endTime")
    span = parameters.span(context.now_ms, days=_DAYS, keeps=True)
    limit, below = parameters.limit(usual=20), parameters.below()
    coin = parameters.text("coin").upper()
    found = [
        row
        for row in rows
        if row.applied_at in span and names.transfer_id(row) < below and coin in ("", row.asset)
    ]
    found.sort(key=names.transfer_id, reverse=True)
    return Rows([wire.encode(told(row)) for row in found[:limit]])


def _rate(per_100_000: int) -> str:
    return wire.short(per_100_000 * amounts.ONE // 100_000)


ENDPOINTS: Final[dict[tuple[str, str], SignedEndpoint]] = {
    ("GET", "/api/v2/spot/account/info"): info,
    ("GET", "/api/v2/account/funding-assets"): funding_assets,
    ("GET", "/api/v2/spot/account/bills"): bills,
    ("GET", "/api/v2/spot/account/transferRecords"): transfer_records,
    ("GET", "/api/v2/spot/wallet/deposit-records"): deposits,
    ("GET", "/api/v2/spot/wallet/withdrawal-records"): withdrawals,
    ("GET", "/api/v2/common/trade-rate"): trade_rate,
}
