"""Rows that other projects recorded or wrote down of exchanges' APIs, read by our adapters: facts alone.

Gate.io: rotki/rotki at ef14aadd, rotkehlchen/tests/exchanges. Binance's dividends: eprbell/dali-rp2 at a17f269c; its
futures: nautechsystems/nautilus_trader at a95c8042, crates/adapters/binance/test_data.
"""

from datetime import UTC, datetime
from decimal import Decimal

from exchanges.binance import contracts, outside
from exchanges.gateio import mapping as gateio
from exchanges.rows import TransferKind, TransferStatus


def test_gateio_transfers_count_seconds_and_hold_their_fees() -> None:
    came = gateio.deposit(
        {
            "id": "d123", "currency": "USDT", "address": "0x48", "amount": "100", "txid": "0xabc",
            "timestamp": "1626345819", "status": "DONE", "memo": "",
        }
    )  # fmt: skip
    left = gateio.withdrawal(
        {
            "id": "w456", "timestamp": "1626346000", "currency": "BTC", "address": "bc1abc", "txid": "tx123",
            "amount": "0.5", "fee": "0.0001", "memo": "", "status": "DONE",
        }
    )  # fmt: skip
    assert (came.kind, came.amount, came.status) == (
        TransferKind.DEPOSIT,
        Decimal(100),
        TransferStatus.SUCCESS,
    )
    assert came.occurred_at == datetime(2021, 7, 15, 10, 43, 39, tzinfo=UTC)
    assert (left.kind, left.amount, left.fee_amount) == (
        TransferKind.WITHDRAWAL,
        Decimal("0.4999"),
        Decimal("0.0001"),
    )


def test_binances_words_tell_interest() -> None:
    told = [("ETH 2.0 Staking", "BETH", "0.00001600"), ("Flexible Savings", "BUSD", "0.51206985")]
    rows = [
        outside.dividend(
            {
                "id": 1637366104,
                "amount": amount,
                "asset": asset,
                "divTime": 1563189166000,
                "enInfo": words,
                "tranId": 29,
            }
        )
        for words, asset, amount in told
    ]
    assert {row.kind for row in rows} == {TransferKind.INTEREST}
    assert [str(row.amount) for row in rows] == [amount for _, _, amount in told]


def test_binances_contract_order_and_wallet() -> None:
    order = contracts.order(
        {
            "orderId": 12345678, "symbol": "BTCUSDT", "status": "NEW", "clientOrderId": "testOrder123",
            "price": "50000.00", "avgPrice": "0.00", "origQty": "0.001", "executedQty": "0.000", "cumQuote": "0.00",
            "timeInForce": "GTC", "type": "LIMIT", "reduceOnly": False, "closePosition": False, "side": "BUY",
            "positionSide": "BOTH", "stopPrice": "0.00", "workingType": "CONTRACT_PRICE", "origType": "LIMIT",
            "goodTillDate": 0, "time": 1625474304765, "updateTime": 1625474304765,
        }
    )  # fmt: skip
    wallet = contracts.balance(
        {
            "asset": "USDT", "walletBalance": "23.72469206", "unrealizedProfit": "0.00000000",
            "availableBalance": "23.72469206",
        }
    )  # fmt: skip
    assert (order.price, order.stop_price, order.quantity) == (Decimal(50000), None, Decimal("0.001"))
    assert wallet is not None
    assert (wallet.wallet, wallet.available, wallet.locked) == ("futures", Decimal("23.72469206"), Decimal(0))
