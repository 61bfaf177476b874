"""Binance's futures trade history; rows as a public repository's test shows them, without the account's number."""

from datetime import UTC, datetime
from decimal import Decimal

from exchanges.rows import ContractSide, MarketType, PositionSide
from tests.exchanges.histories.reading import read, reasons, told

HEAD = "Time,Symbol,Side,Price,Quantity,Amount,Fee,Realized Profit,Buyer,Maker,Trade ID,Order ID\n"
ROWS = (
    "26-03-17 09:34:12,BTCUSDC,BUY,73822.3,0.01,738.223,0.29528919 USDC,0.28699999,true,false,419925075,49172439177\n",
    "26-01-19 11:52:00,COMPUSDT,SELL,25.23,0.436,11.00028,0.00550014 USDT,-4.43848,false,false,439592093,12425682460\n",
)


def test_an_execution_has_the_exchanges_own_ids_and_result() -> None:
    bought, sold = read(HEAD + "".join(ROWS)).fills
    assert told(bought) == ("BUY BTCUSDC", "0.01", "738.223", "0.29528919", "USDC")
    assert (bought.market_type, bought.fill_id, bought.order_id) == (
        MarketType.FUTURES,
        "419925075",
        "49172439177",
    )
    assert bought.executed_at == datetime(2026, 3, 17, 9, 34, 12, tzinfo=UTC)
    assert sold.contract == ContractSide("USDT", False, PositionSide.BOTH, Decimal("-4.43848"))


def test_an_execution_is_taken_once() -> None:
    history = read(HEAD + ROWS[0] * 2)
    assert (len(history.fills), history.remarks) == (
        1,
        ["line 3: execution 419925075 of BTCUSDC was told before"],
    )


def test_what_is_no_linear_contract_is_set_aside() -> None:
    rows = (
        ROWS[0].replace("BTCUSDC,", "BTCUSD_PERP,"), ROWS[0].replace("738.223", "738.224"),
        ROWS[0].replace("USDC,0.28", ",0.28"), ROWS[0].replace("BUY", "?"), ROWS[1],
    )  # fmt: skip
    history = read(HEAD + "".join(rows))
    assert len(history.fills) == 1
    assert reasons(history) == [
        (2, "BTCUSD_PERP is no contract settled in USDT, USDC, BUSD, FDUSD"),
        (3, "Amount 738.224 is not Price × Quantity, 738.223"),
        (4, "Fee '0.29528919' is no amount with a coin"),
        (5, "Side '?' is not known"),
    ]
