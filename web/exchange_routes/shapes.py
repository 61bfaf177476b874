"""The frontend's types, a dataclass each: names and JSON types are its own. Amounts are text as exchanges write them;
`Decimal` fields are JSON numbers. What the frontend does not know comes after what it does."""

# ruff: noqa: N815  (names of the frontend)
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Balance:
    """An asset of a wallet."""

    asset: str
    free: str
    locked: str


@dataclass(frozen=True, slots=True)
class NormalizedAccountInfo:
    """An account, or several as one: balances add up, it can trade if one of them can, and the fees are the highest.

    Commissions are in hundredths of a percent, as Binance writes them (10 is 0.1 %); null where the exchange tells
    them by symbol only. Keys that may withdraw are never kept.
    """

    makerCommission: Decimal | None
    takerCommission: Decimal | None
    canTrade: bool
    canWithdraw: bool
    canDeposit: bool
    accountType: str
    balances: list[Balance]
    permissions: list[str]
    exchange: str
    accounts: list[UUID]


@dataclass(frozen=True, slots=True)
class NormalizedUserAsset:
    """An asset with a balance. `withdrawing`: withdrawals under way. Prices are in USDT; null without a price."""

    asset: str
    free: str
    locked: str
    freeze: str
    withdrawing: str
    exchange: str
    usdValue: Decimal | None
    pricePerUnit: Decimal | None


@dataclass(frozen=True, slots=True)
class Order:
    """`orderId` is a number at Binance and text elsewhere; `orderIdText` is always text, with all its digits.
    `price` is 0 for market orders. Times are milliseconds."""

    orderId: int | str
    clientOrderId: str
    symbol: str
    side: str
    type: str
    price: str
    origQty: str
    executedQty: str
    status: str
    time: int
    stopPrice: str
    cummulativeQuoteQty: str
    timeInForce: str
    updateTime: int
    orderIdText: str
    market: str
    positionSide: str
    reduceOnly: bool
    exchange: str
    account: UUID


@dataclass(frozen=True, slots=True)
class SymbolOrders:
    symbol: str
    orders: list[Order]


@dataclass(frozen=True, slots=True)
class BitgetOrder:
    """Bitget's own names. `status`: live, partially_filled, filled or cancelled. `cTime` is in milliseconds."""

    orderId: str
    symbol: str
    side: str
    orderType: str
    priceAvg: str
    size: str
    status: str
    presetTakeProfitPrice: str
    presetStopLossPrice: str
    cTime: str
    clientOid: str
    triggerPrice: str
    baseVolume: str
    quoteVolume: str
    uTime: str
    account: UUID


@dataclass(frozen=True, slots=True)
class FeeDetail:
    """`totalFee` ≥ 0 is a cost, < 0 a rebate, whatever sign the exchange writes."""

    feeCoin: str
    totalFee: str


@dataclass(frozen=True, slots=True)
class ExchangeTrade:
    """An execution. `side`: buy or sell; `amount`: price × size; `cTime` is in milliseconds."""

    tradeId: str
    orderId: str
    symbol: str
    side: str
    price: str
    size: str
    amount: str
    feeDetail: FeeDetail
    cTime: str
    tradeScope: str
    market: str
    exchange: str
    account: UUID


@dataclass(frozen=True, slots=True)
class NormalizedDeposit:
    """`status`: pending, success, failed or unknown; `timestamp` is in milliseconds."""

    id: str
    amount: str
    coin: str
    network: str
    status: str
    address: str
    txId: str
    timestamp: int
    exchange: str
    account: UUID


@dataclass(frozen=True, slots=True)
class NormalizedWithdrawal:
    """`fee` is in the same coin, on top of the amount."""

    id: str
    amount: str
    coin: str
    network: str
    status: str
    address: str
    txId: str
    fee: str
    timestamp: int
    exchange: str
    account: UUID


@dataclass(frozen=True, slots=True)
class NormalizedTransfer:
    """Between wallets of one account. `type` names both as Binance does: MAIN_UMFUTURE is spot to futures."""

    id: str
    asset: str
    amount: str
    type: str
    fromWallet: str
    toWallet: str
    status: str
    timestamp: int
    exchange: str
    account: UUID


@dataclass(frozen=True, slots=True)
class Ticker:
    """The latest price of a market, under Binance's and Bitget's names. `timestamp` and `ts`: when it was read."""

    symbol: str
    lastPrice: str
    lastPr: str
    baseAsset: str
    quoteAsset: str
    timestamp: int
    ts: str
    market: str
    exchange: str


@dataclass(frozen=True, slots=True)
class BitgetAsset:
    """A coin of the spot account by Bitget's own names."""

    coin: str
    available: str
    frozen: str
    locked: str
    limitAvailable: str
    uTime: str


@dataclass(frozen=True, slots=True)
class SnapshotDay:
    """A UTC day's end. `change24h` in percent, deposits and withdrawals taken out; null on the first day.

    Of past days the split of a balance is not kept: `free` holds all of it.
    """

    date: str
    totalValueUSD: Decimal
    totalAssetOfBtc: Decimal | None
    balances: list[Balance]
    updateTime: int
    change24h: Decimal | None


@dataclass(frozen=True, slots=True)
class SnapshotPerformance:
    """In percent; null where undefined. `totalReturn` is time-weighted from the first day worth at least 1 USD, and
    `avgDailyReturn` the daily return that compounds to it; `rawTotalReturn` is current / initial - 1."""

    totalReturn: str | None
    rawTotalReturn: str | None
    days: int
    avgDailyReturn: str | None


@dataclass(frozen=True, slots=True)
class TopAsset:
    asset: str
    quantity: str
    usdValue: Decimal | None
    percentage: Decimal | None


@dataclass(frozen=True, slots=True)
class SnapshotSummary:
    totalPortfolioValue: str
    topAssets: list[TopAsset]


@dataclass(frozen=True, slots=True)
class AccountSnapshotResponse:
    """What an account was worth day by day, in USDT; oldest first. Null values: no day is known yet."""

    totalSnapshots: int
    period: str
    snapshots: list[SnapshotDay]
    currentValue: Decimal | None
    initialValue: Decimal | None
    meaningfulInitialValue: Decimal | None
    performance: SnapshotPerformance
    summary: SnapshotSummary
    currency: str
