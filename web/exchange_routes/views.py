"""One view a route. What each answers is in `holdings`, `facts` and `snapshots`."""

from datetime import datetime
from typing import cast
from urllib.parse import quote

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core import clock
from core.django.views import Endpoint
from credentials.models import ExchangeAccount
from pipeline import live
from pipeline.ages import NEVER_READ, OLD, Age
from pipeline.live import Reading, What
from pipeline.models import Stream
from portfolio.selectors import confidence, freshness, standing
from portfolio.selectors.confidence import Confidence
from portfolio.selectors.positions import PRICE_STALE_AFTER
from portfolio.selectors.standing import Standing
from web.exchange_routes import examples, facts, holdings, snapshots
from web.exchange_routes.asking import Answer, Asked, require_known
from web.exchange_routes.endpoint import ExchangeEndpoint, described, respond
from web.exchange_routes.queries import (
    CoinHistoryQuery,
    OpenOrdersQuery,
    SnapshotQuery,
    SymbolHistoryQuery,
    TickersQuery,
    WalletQuery,
)
from web.exchange_routes.shapes import (
    AccountSnapshotResponse,
    BitgetAsset,
    BitgetOrder,
    ExchangeTrade,
    NormalizedAccountInfo,
    NormalizedDeposit,
    NormalizedTransfer,
    NormalizedUserAsset,
    NormalizedWithdrawal,
    Order,
    SymbolOrders,
    Ticker,
)

_BITGET = "bitget"


class AccountInfoView(ExchangeEndpoint):
    """What the accounts may do and hold."""

    query_serializer = WalletQuery
    what = What.BALANCES
    streams = (Stream.BALANCES,)

    @described(NormalizedAccountInfo, WalletQuery, example=examples.ACCOUNT_INFO, many=False)
    def get(self, request: Request, exchange: str) -> Response:
        return self.read(request, exchange)

    def answer(self, asked: Asked) -> Answer:
        return holdings.account_info(asked)


class UserAssetsView(ExchangeEndpoint):
    """Assets with a balance, the most valuable first."""

    query_serializer = WalletQuery
    what = What.BALANCES
    streams = (Stream.BALANCES,)

    @described(NormalizedUserAsset, WalletQuery, example=examples.USER_ASSETS)
    def get(self, request: Request, exchange: str) -> Response:
        return self.read(request, exchange)

    def answer(self, asked: Asked) -> Answer:
        return holdings.user_assets(asked)


class OpenOrdersView(ExchangeEndpoint):
    """Orders in the book, newest first."""

    query_serializer = OpenOrdersQuery
    what = What.OPEN_ORDERS
    streams = (Stream.OPEN_ORDERS,)
    contract_streams = (Stream.CONTRACT_OPEN,)

    @described(Order, OpenOrdersQuery, example=[examples.ORDER], pages=True)
    def get(self, request: Request, exchange: str) -> Response:
        return self.read(request, exchange)

    def answer(self, asked: Asked) -> Answer:
        return facts.open_orders(asked)


class OrderHistoryView(ExchangeEndpoint):
    """Orders in any state, by symbol, a page of the newest."""

    query_serializer = SymbolHistoryQuery
    what = What.ORDERS
    streams = (Stream.OPEN_ORDERS,)
    contract_streams = (Stream.CONTRACT_OPEN,)
    walked = (Stream.ORDERS,)
    contract_walked = (Stream.CONTRACT_ORDERS,)

    @described(SymbolOrders, SymbolHistoryQuery, example=examples.ORDER_HISTORY, pages=True)
    def get(self, request: Request, exchange: str) -> Response:
        """A symbol may come again on the next page: `limit` counts orders."""
        return self.read(request, exchange)

    def answer(self, asked: Asked) -> Answer:
        return facts.order_history(asked)


class TradeFillsView(ExchangeEndpoint):
    """Executions, newest first; any span of time."""

    query_serializer = SymbolHistoryQuery
    what = What.FILLS
    streams = (Stream.BALANCES, Stream.OPEN_ORDERS)
    contract_streams = (Stream.CONTRACT_OPEN,)
    walked = (Stream.FILLS,)
    contract_walked = (Stream.CONTRACT_FILLS,)

    @described(ExchangeTrade, SymbolHistoryQuery, example=examples.TRADE_FILLS, pages=True)
    def get(self, request: Request, exchange: str) -> Response:
        return self.read(request, exchange)

    def answer(self, asked: Asked) -> Answer:
        return facts.trade_fills(asked)


class DepositHistoryView(ExchangeEndpoint):
    """Deposits, newest first."""

    query_serializer = CoinHistoryQuery
    what = What.DEPOSITS
    streams = (Stream.DEPOSITS,)
    walked = (Stream.DEPOSITS,)

    @described(NormalizedDeposit, CoinHistoryQuery, example=examples.DEPOSITS, pages=True)
    def get(self, request: Request, exchange: str) -> Response:
        return self.read(request, exchange)

    def answer(self, asked: Asked) -> Answer:
        return facts.deposits(asked)


class WithdrawHistoryView(ExchangeEndpoint):
    """Withdrawals, newest first."""

    query_serializer = CoinHistoryQuery
    what = What.WITHDRAWALS
    streams = (Stream.WITHDRAWALS,)
    walked = (Stream.WITHDRAWALS,)

    @described(NormalizedWithdrawal, CoinHistoryQuery, example=examples.WITHDRAWALS, pages=True)
    def get(self, request: Request, exchange: str) -> Response:
        return self.read(request, exchange)

    def answer(self, asked: Asked) -> Answer:
        return facts.withdrawals(asked)


class TransferHistoryView(ExchangeEndpoint):
    """Transfers between the wallets of an account, newest first."""

    query_serializer = CoinHistoryQuery
    what = What.TRANSFERS
    streams = (Stream.BALANCES, Stream.TRANSFERS)  # an account of one wallet has the first alone
    walked = (Stream.TRANSFERS,)

    @described(NormalizedTransfer, CoinHistoryQuery, example=examples.TRANSFERS, pages=True)
    def get(self, request: Request, exchange: str) -> Response:
        return self.read(request, exchange)

    def answer(self, asked: Asked) -> Answer:
        return facts.transfers(asked)


class AccountSnapshotView(ExchangeEndpoint):
    """What the accounts were worth day by day, contracts included."""

    query_serializer = SnapshotQuery
    what = What.SNAPSHOT

    @described(AccountSnapshotResponse, SnapshotQuery, example=examples.SNAPSHOT, many=False, has_totals=True)
    def get(self, request: Request, exchange: str) -> Response:
        """At most five years; the returns are of the period alone."""
        return self.read(request, exchange)

    def answer(self, asked: Asked) -> Answer:
        return snapshots.account_snapshot(asked, currency=cast("User", self.request.user).reporting_currency)

    def told(self, asked: Asked) -> tuple[Age, Confidence]:
        stands = standing.read(asked.scope)
        fresh = freshness.freshness(scope=asked.scope, at=asked.at, stands=stands)
        trust = confidence.confidence(scope=asked.scope, at=asked.at, stands=stands, fresh=fresh)
        return Age(fresh.as_of, _why_stale(asked, stands) if fresh.is_stale else ""), trust


def _why_stale(asked: Asked, stands: Standing) -> str:
    """Naming the accounts that were never read where others were. Inside the open door."""
    drawn = {row.account_id for row in stands.snapshots}
    unread = [account_id for account_id in asked.scope.living_ids if account_id not in drawn]
    if not unread:
        return OLD
    if not drawn:
        return NEVER_READ
    labels = ExchangeAccount.objects.filter(id__in=unread).order_by("created_at", "id")
    return ",".join(f"{NEVER_READ}:{quote(label)}" for label in labels.values_list("label", flat=True))


class TickersView(Endpoint):
    """Latest prices of the markets that trade; needs no account."""

    query_serializer = TickersQuery

    @described(Ticker, TickersQuery, example=examples.TICKERS)
    def get(self, request: Request, exchange: str) -> Response:
        """One market by `symbol`, else all."""
        require_known(exchange)
        refusal = live.read([Reading(What.TICKERS, exchange)]) if self.query["live"] else ""
        rows, as_of = facts.tickers(exchange, self.query)
        return respond(request, Answer(rows), Age(as_of, refusal or _reason(as_of)))


class BitgetOpenOrdersView(OpenOrdersView):
    """Orders in the book, in Bitget's words."""

    @described(BitgetOrder, OpenOrdersQuery, example=examples.BITGET_ORDERS, pages=True, at_one_exchange=True)
    def get(self, request: Request, exchange: str = _BITGET) -> Response:
        return self.read(request, exchange)

    def answer(self, asked: Asked) -> Answer:
        return facts.bitget_open_orders(asked)


class BitgetTradeFillsView(TradeFillsView):
    """Executions, newest first; any span of time."""

    @described(
        ExchangeTrade, SymbolHistoryQuery, example=examples.TRADE_FILLS, pages=True, at_one_exchange=True
    )
    def get(self, request: Request, exchange: str = _BITGET) -> Response:
        return self.read(request, exchange)


class BitgetAssetsView(UserAssetsView):
    """Coins with a balance, by Bitget's names."""

    @described(BitgetAsset, WalletQuery, example=examples.BITGET_ASSETS, at_one_exchange=True)
    def get(self, request: Request, exchange: str = _BITGET) -> Response:
        return self.read(request, exchange)

    def answer(self, asked: Asked) -> Answer:
        return holdings.bitget_assets(asked)


class BitgetDepositsView(DepositHistoryView):
    """Deposits, newest first."""

    @described(
        NormalizedDeposit, CoinHistoryQuery, example=examples.DEPOSITS, pages=True, at_one_exchange=True
    )
    def get(self, request: Request, exchange: str = _BITGET) -> Response:
        return self.read(request, exchange)


class BitgetWithdrawalsView(WithdrawHistoryView):
    """Withdrawals, newest first."""

    @described(
        NormalizedWithdrawal, CoinHistoryQuery, example=examples.WITHDRAWALS, pages=True, at_one_exchange=True
    )
    def get(self, request: Request, exchange: str = _BITGET) -> Response:
        return self.read(request, exchange)


def _reason(priced_at: datetime | None) -> str:
    """Why prices are stale; "" while they are not."""
    if priced_at is None:
        return NEVER_READ
    return OLD if clock.now() - priced_at > PRICE_STALE_AFTER else ""
