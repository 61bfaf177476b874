"""The exchanges that the suite is run for."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from core import clock
from exchanges.base import ApiKeys
from exchanges.errors import ErrorKind
from exchanges.rows import TransferKind, TransferRow
from exchanges.simulators import profiles
from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.binance.limits import Limits as BinanceLimits
from exchanges.simulators.bitget import BitgetSimulator
from exchanges.simulators.bitget.limits import Limits as BitgetLimits
from exchanges.simulators.gateio import GateioSimulator
from exchanges.simulators.gateio.limits import Limits as GateioLimits
from exchanges.simulators.mexc import MexcSimulator
from exchanges.simulators.mexc.limits import Limits as MexcLimits
from tests.exchanges.conformance.house import START, Contracts, Fact, House, Refusal, World

_ANY = 10**9
_FAULTS: Final[Mapping[str, Refusal]] = {
    "revoked key": Refusal(ErrorKind.AUTH),
    "bad signature": Refusal(ErrorKind.AUTH),
    "too fast": Refusal(ErrorKind.RATE, retry_in=30),
    "banned": Refusal(ErrorKind.BANNED, retry_in=120),
    "bad gateway": Refusal(ErrorKind.DOWN),
    "half an answer": Refusal(ErrorKind.NETWORK),
    "no answer": Refusal(ErrorKind.NETWORK),
}


class Binance(House):
    def conversion_id(self, fact: Fact) -> str:
        return f"dust-{fact['id']}-{fact['from_asset']}" if fact["is_dust"] else str(fact["id"])

    def transfer_fact(self, row: TransferRow) -> Fact:
        """Withdrawals tell their time in seconds, and no ledger's flag."""
        fact = super().transfer_fact(row)
        del fact["moves_balance"]
        return fact | {"time": fact["time"] // 1000}

    def transfer_truth(self, fact: Fact) -> Fact:
        told = super().transfer_truth(fact)
        del told["moves_balance"]
        return told | {"time": told["time"] // 1000}


class Bitget(House):
    def keys(self, world: World, label: str) -> ApiKeys:
        keys = super().keys(world, label)
        return ApiKeys(keys.key, keys.secret, world.simulator.passphrase(label))

    def conversion_id(self, fact: Fact) -> str:
        return f"bgb-{fact['id']}" if fact["is_dust"] else str(fact["id"])

    def gift_id(self, fact: Fact) -> str:
        return f"bill-{fact['id']}"


class Gateio(House):
    def wire(self, symbol: str) -> str:
        base = symbol.removesuffix("USDT").removesuffix("USDC")
        return f"{base}_{symbol.removeprefix(base)}" if base != symbol else f"{symbol[:-3]}_{symbol[-3:]}"

    def plain(self, symbol: str) -> str:
        return symbol.replace("_", "")


class Mexc(House):
    def transfer_fact(self, row: TransferRow) -> Fact:
        """Its ids are not the truth's, nor are the words of its states."""
        fact = super().transfer_fact(row)
        del fact["status"]
        return fact

    def transfer_truth(self, fact: Fact) -> Fact:
        told = super().transfer_truth(fact)
        del told["status"]
        return told

    def transfer_id(self, row: TransferRow) -> str:
        return row.tx_id


HOUSES: Final = (
    Binance(
        name="binance",
        simulator=BinanceSimulator,
        limits=BinanceLimits(api=_ANY, sapi_ip=_ANY, sapi_uid=_ANY, sapi_uid_second=_ANY, fapi=_ANY),
        contracts=Contracts(fills_path="/fapi/v1/userTrades"),
        fills_path="/api/v3/myTrades",
        balances_path="/api/v3/account",
        fields={"id": "id", "quantity": "qty", "price": "price"},
        statuses={"PENDING_NEW": "NEW"},
        gives_by=TransferKind.AIRDROP,
        changes=(True, False),
        lists_only_what_is_traded=False,
        refusals={
            **_FAULTS,
            "key of nobody": Refusal(ErrorKind.AUTH),
            "malformed key": Refusal(ErrorKind.AUTH, "-2014"),
            "wrong secret": Refusal(ErrorKind.AUTH, "-1022"),
            "clock still off": Refusal(ErrorKind.CLOCK, "-1021"),
            "unknown symbol": Refusal(ErrorKind.USER, "-1121"),
            "unknown order": Refusal(ErrorKind.USER, "-2013"),
        },
    ),
    Bitget(
        name="bitget",
        simulator=BitgetSimulator,
        limits=BitgetLimits.none(),
        fills_path="/api/v2/spot/trade/fills",
        balances_path="/api/v2/spot/account/assets",
        fields={"id": "tradeId", "quantity": "size", "price": "priceAvg"},
        no_key="bg_" + "a" * 32,
        conditional=("plans", "plan-"),
        walks_open_orders=False,
        keeps_fills=timedelta(days=90) - timedelta(hours=1),
        keeps_orders=timedelta(days=90) - timedelta(hours=1),
        tells_free=False,
        late_fills_by_recheck_only=True,
        gives_by=TransferKind.AIRDROP,
        changes=(True, False),
        contracts=Contracts(
            fills_path="/api/v2/mix/order/fills", keeps_fills=timedelta(days=90) - timedelta(hours=1)
        ),
        refusals={
            **_FAULTS,
            "banned": Refusal(ErrorKind.DOWN),
            "key of nobody": Refusal(ErrorKind.AUTH, "40006"),
            "wrong secret": Refusal(ErrorKind.AUTH, "40009"),
            "wrong passphrase": Refusal(ErrorKind.AUTH, "40012"),
            "clock still off": Refusal(ErrorKind.CLOCK, "40008"),
            "unknown symbol": Refusal(ErrorKind.USER, "40034"),
            "unknown order": Refusal(ErrorKind.USER, "43001"),
        },
    ),
    Gateio(
        name="gateio",
        simulator=GateioSimulator,
        limits=GateioLimits(public=_ANY, private=_ANY),
        fills_path="/api/v4/spot/my_trades",
        balances_path="/api/v4/spot/accounts",
        fields={"id": "id", "quantity": "amount", "price": "price"},
        no_key="a" * 32,
        no_secret="a" * 64,
        conditional=("triggers", "trigger-"),
        walks_ended_conditionals=True,
        walks_open_orders=False,
        tells_free=False,
        late_fills_by_recheck_only=True,
        empty_page_by_recheck_only=True,
        gives_by=TransferKind.INTERNAL,
        changes=(True, False),
        opened=("exchanges.gateio.walks.OPENED", "exchanges.gateio.walks.CONTRACTS_OPENED"),
        contracts=Contracts(fills_path="/api/v4/futures/usdt/my_trades_timerange", busy="ETH_USDT"),
        bulk_from=str(clock.to_ms(START - timedelta(days=500))),
        refusals={
            **_FAULTS,
            "banned": Refusal(ErrorKind.DOWN),
            "key of nobody": Refusal(ErrorKind.AUTH, "INVALID_KEY"),
            "wrong secret": Refusal(ErrorKind.AUTH, "INVALID_SIGNATURE"),
            "clock still off": Refusal(ErrorKind.CLOCK, "REQUEST_EXPIRED"),
            "unknown symbol": Refusal(ErrorKind.USER, "INVALID_CURRENCY_PAIR"),
            "unknown order": Refusal(ErrorKind.USER, "ORDER_NOT_FOUND"),
        },
    ),
    Mexc(
        name="mexc",
        simulator=MexcSimulator,
        limits=MexcLimits(ip=_ANY, uid=_ANY, contracts=_ANY, contract_details=_ANY),
        people=tuple(replace(profile, days=40) for profile in profiles.DEFAULT),
        history=tuple(replace(profile, days=120) for profile in profiles.DEFAULT),
        fills_path="/api/v3/myTrades",
        balances_path="/api/v3/account",
        fields={"id": "id", "quantity": "qty", "price": "price"},
        no_key="mx0v" + "A" * 14,
        no_secret="A" * 32,
        bulk=6_000,
        keeps_fills=timedelta(days=30),
        keeps_orders=timedelta(days=7),
        keeps_transfers=timedelta(days=90),
        statuses={"PARTIALLY_CANCELED": "CANCELED"},
        transfer_key="tx_id",
        changes=(True,),
        contracts=Contracts(
            fills_path="/api/v1/private/order/list/order_deals",
            busy="ETH_USDT",
            keeps_fills=timedelta(days=90) - timedelta(hours=1),
        ),
        refusals={
            **_FAULTS,
            "key of nobody": Refusal(ErrorKind.AUTH, "10072"),
            "malformed key": Refusal(ErrorKind.AUTH, "700001"),
            "wrong secret": Refusal(ErrorKind.AUTH, "700002"),
            "clock still off": Refusal(ErrorKind.CLOCK, "700003"),
            "unknown symbol": Refusal(ErrorKind.USER, "-1121"),
            "unknown order": Refusal(ErrorKind.USER, "-2013"),
        },
    ),
)
BY_NAME: Final[Mapping[str, House]] = {house.name: house for house in HOUSES}
