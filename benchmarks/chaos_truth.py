"""Whether the database holds what simulated exchanges say happened, account by account, exactly.

What an exchange no longer tells may be stored or not; what is stored must be true.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, Protocol

from core import clock
from credentials.models import ExchangeAccount
from exchanges.rows import MarketType
from orders.models import Fill, Order, Transfer
from pipeline import discovery, schedule
from pipeline.models import RunStatus, Stream, SyncRun, Trigger
from portfolio.balances import latest_by_wallet
from portfolio.comparison import side_by_side
from tests.exchanges import contract_truth as told
from tests.pipeline import contract_facts as stored
from tests.pipeline.worlds import World

Facts = Mapping[Any, Any]
TRIES: Final = 12  # who trades on is seldom still
DISPATCHED: Final = 30  # seconds between two dispatches
SETTLING: Final = discovery.SEARCHED_AGAIN + timedelta(minutes=1)
_OPEN: Final = ("NEW", "PARTIALLY_FILLED", "PENDING_NEW")
_BY_SYMBOL: Final = ("binance", "mexc")
_MEXC_ORDERS_MS: Final = 7 * 86_400_000
# Stops have other words at each exchange, and ids of their own.
_STOPS: Final = ("plan-", "strategy-", "trigger-", "algo-")


@dataclass(frozen=True)
class Difference:
    part: str
    key: Any
    stored: Any
    true: Any


class Clock(Protocol):
    """Of the exchanges; it stands still unless somebody waits."""

    def now_ms(self) -> int: ...

    def advance(self, *, seconds: float = 0) -> None: ...


def settle(time: Clock, world: World) -> list[Difference]:
    """What differs after a reading in which no time passed and which left nothing to be searched, or else after the
    last of some. The first looks for what came late, too, as every night; those after it go on with that, an hour
    later, and read what is new since."""
    found: list[Difference] = []
    for number in range(TRIES):
        time.advance(seconds=SETTLING.total_seconds() if number else DISPATCHED)
        begun = time.now_ms()
        run = _read(time, world, Trigger.USER if number else Trigger.COMMAND)
        is_still, is_read = time.now_ms() == begun, run.status == RunStatus.OK
        found = [] if is_read else [Difference("run", run.status, run.error_kind, run.error_detail)]
        with world.door():
            unified = ExchangeAccount.objects.get(id=world.account.id).account_type == "unified"
        found += differences(world, unified=unified, still=is_still)
        if not found or (is_read and is_still and not _is_searching(world)):
            break
    return found


def _read(time: Clock, world: World, trigger: Trigger) -> SyncRun:
    """What is due, and with the next dispatches what the budget left for later; the last run."""
    run = world.sync(trigger)
    for _ in range(TRIES):
        if run.status != RunStatus.PARTIAL or run.error_kind:
            break
        time.advance(seconds=DISPATCHED)
        run = world.work() or run
    return run


def _is_searching(world: World) -> bool:
    """Whether symbols nobody knows of are still being looked for, a few at a time."""
    return world.cursor(Stream.DISCOVERY).due_at <= world.now() + schedule.SWEEP


def differences(world: World, *, unified: bool = False, still: bool = True) -> Iterator[Difference]:
    """`unified`: an account of Bitget whose wallets are one. `still`: no time passed since the wallets were read; else
    prices moved, and with them profit that is not realised."""
    truth = world.truth()
    exchange = world.account.exchange
    yield from _compare("fills", _fills(world), _true_fills(truth))
    yield from _compare(
        "orders", _orders(world), _true_orders(truth), required=_told_orders(world, truth, exchange)
    )
    yield from _compare("open stops", _open_stops(world), _true_open_stops(truth))
    yield from _compare("transfers", _transfers(world), _true_transfers(truth, exchange))
    yield from _compare("balances", _balances(world, unified), _true_balances(truth, unified))
    yield from _books(world, truth)
    if futures := truth.get("futures"):
        yield from _contract_differences(world, futures, exchange, unified=unified, still=still)


def count(world: World) -> tuple[int, int]:
    """Fills stored, and how many of them are there twice."""
    with world.door():
        keys = list(
            Fill.objects.filter(account=world.account).values_list(
                "market_type", "symbol", "exchange_fill_id"
            )
        )
    return len(keys), len(keys) - len(set(keys))


def _contract_differences(
    world: World, futures: dict[str, Any], exchange: str, *, unified: bool, still: bool
) -> Iterator[Difference]:
    own_words = (2, 4, 9) if exchange == "bitget" else ()
    orders = _without(told.true_orders(futures), *own_words)
    required = {key for key, fact in told.true_orders(futures).items() if fact[7] or fact[3] in told.OPEN}
    yield from _compare("contract fills", stored.fills(world), told.true_fills(futures))
    found = _without(stored.orders(world), *own_words)
    yield from _compare(
        "contract orders", _timeless(found, required), _timeless(orders, required), required=required
    )
    # Not every exchange says which side of a hedged contract was paid for.
    yield from _compare(
        "funding", _without(stored.funding(world), 1), _without(told.true_funding(futures), 1)
    )
    yield from _compare("positions", stored.positions(world), told.true_positions(futures))
    if unified:
        return
    moved = () if still else (1,)
    yield from _compare(
        "futures wallet",
        _without(stored.wallet(world), *moved),
        _without(told.true_wallet(futures), *moved),
    )
    yield from _compare("internal transfers", stored.transfers(world), _moved(futures, exchange))


def _timeless(orders: Facts, required: set[Any]) -> Facts:
    """When an order ended that the exchange forgot since, nobody can tell."""
    return {key: fact if key in required else fact[:-1] for key, fact in orders.items()}


def _compare(
    part: str, found: Facts, true: Facts, *, required: set[Any] | None = None
) -> Iterator[Difference]:
    for key in (true.keys() if required is None else required) | found.keys():
        if found.get(key) != true.get(key):
            yield Difference(part, key, found.get(key), true.get(key))


def _fills(world: World) -> Facts:
    with world.door():
        return {
            (row.symbol, row.exchange_fill_id): (
                *(row.exchange_order_id, row.side, row.price, row.quantity, row.quote_quantity),
                *(row.fee_amount, row.fee_currency, row.is_maker, clock.to_ms(row.executed_at)),
            )
            for row in Fill.objects.filter(account=world.account, market_type=MarketType.SPOT)
        }


def _true_fills(truth: dict[str, Any]) -> Facts:
    return {
        (symbol, str(row["id"])): (
            *(str(row["order_id"]), row["side"]),
            *(Decimal(row[name]) for name in ("price", "quantity", "quote_quantity", "fee")),
            *(row["fee_asset"], row["is_maker"], row["time"]),
        )
        for symbol, rows in truth["fills"].items()
        for row in rows
    }


def _orders(world: World) -> Facts:
    with world.door():
        return {
            (row.symbol, row.exchange_order_id): (row.side, row.type, row.status, row.executed_quantity)
            for row in Order.objects.filter(account=world.account, market_type=MarketType.SPOT)
            if not row.exchange_order_id.startswith(_STOPS)
        }


def _true_orders(truth: dict[str, Any]) -> Facts:
    words = {"PENDING_NEW": "NEW", "PARTIALLY_CANCELED": "CANCELED"}
    return {
        (symbol, str(row["id"])): (
            *(row["side"], row["type"], words.get(row["status"], row["status"])),
            Decimal(row["executed"]),
        )
        for symbol, rows in truth["orders"].items()
        for row in rows
    }


def _open_stops(world: World) -> Facts:
    with world.door():
        rows = Order.objects.filter(account=world.account, market_type=MarketType.SPOT, status__in=_OPEN)
        return {
            (row.symbol, row.exchange_order_id.partition("-")[2]): (row.side, row.stop_price, row.quantity)
            for row in rows
            if row.exchange_order_id.startswith(_STOPS)
        }


def _true_open_stops(truth: dict[str, Any]) -> Facts:
    """Where stops stand beside the book."""
    return {
        (symbol, str(row["id"])): (row["side"], Decimal(row["stop_price"]), Decimal(row["quantity"]))
        for symbol, rows in {**truth.get("plans", {}), **truth.get("triggers", {})}.items()
        for row in rows
        if row["status"] in _OPEN
    }


def _told_orders(world: World, truth: dict[str, Any], exchange: str) -> set[Any]:
    """All, but MEXC tells those that ended for a week only; and where an exchange tells orders by symbol, nobody knows
    of those that came and went between two looks in a symbol the account never traded."""
    since = clock.to_ms(world.now()) - _MEXC_ORDERS_MS if exchange == "mexc" else 0
    untold = truth["orders"].keys() - {symbol for symbol, fills in truth["fills"].items() if fills}
    return {
        (symbol, str(row["id"]))
        for symbol, rows in truth["orders"].items()
        for row in rows
        if row["status"] in _OPEN
        or (row["time"] >= since and not (exchange in _BY_SYMBOL and symbol in untold))
    }


def _transfers(world: World) -> Facts:
    with world.door():
        rows = Transfer.objects.filter(account=world.account, kind__in=["DEPOSIT", "WITHDRAWAL"])
        return {
            (row.kind, row.tx_id if world.account.exchange == "mexc" else row.exchange_transfer_id): (
                *(row.asset, row.amount, row.fee_amount, row.status == "success"),
            )
            for row in rows
        }


def _true_transfers(truth: dict[str, Any], exchange: str) -> Facts:
    return {
        (kind, str(row["tx_id" if exchange == "mexc" else "id"])): (
            *(row["asset"], Decimal(row["amount"]), Decimal(row["fee"]), row["moves_balance"]),
        )
        for kind, name in (("DEPOSIT", "deposits"), ("WITHDRAWAL", "withdrawals"))
        for row in truth[name]
    }


def _balances(world: World, unified: bool) -> Facts:
    if unified:  # its one wallet is held against the facts instead
        return {}
    with world.door():
        rows = latest_by_wallet(account_ids=[world.account.id])
    return {
        row.asset: (row.available, row.locked)
        for row in rows
        if row.wallet == "spot" and (row.available or row.locked)
    }


def _true_balances(truth: dict[str, Any], unified: bool) -> Facts:
    return {
        asset: (Decimal(row["free"]), Decimal(row["locked"]))
        for asset, row in truth["balances"].items()
        if not unified
    }


def _books(world: World, truth: dict[str, Any]) -> Iterator[Difference]:
    """What all facts add up to is what the exchange reports, but for what no endpoint tells."""
    with world.door():
        rows = side_by_side(account_ids=[world.account.id])
    found = {row.asset: row.difference for row in rows if row.difference}
    untold: dict[str, Decimal] = {}
    for row in truth.get("futures", {}).get("untold", ()):
        untold[row["asset"]] = untold.get(row["asset"], Decimal(0)) + Decimal(row["amount"])
    yield from _compare("sums", found, {asset: amount for asset, amount in untold.items() if amount})


def _moved(futures: dict[str, Any], exchange: str) -> Facts:
    """Transfers between wallets, under the ids and names that are told."""
    rows = futures["transfers"]
    if exchange == "binance":
        other = {"funding": "other"}
        rows = [row | {side: other.get(row[side], row[side]) for side in ("from", "to")} for row in rows]
    return told.true_transfers({"transfers": rows}, lambda row: str(row["id"]))


def _without(facts: Facts, *columns: int) -> Facts:
    return {
        key: tuple(value for number, value in enumerate(fact) if number not in columns)
        for key, fact in facts.items()
    }
