"""ccxt's unified class takes the simulator for Bitget: classic and unified accounts."""

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest

from exchanges.simulators.bitget import BitgetSimulator
from exchanges.transport import point_at

DAY_MS = 86_400_000


def connect(simulator: BitgetSimulator, label: str, **changes: Any) -> Any:
    keys = simulator.accounts[label]
    given = {
        "apiKey": keys.api_key,
        "secret": keys.api_secret,
        "password": simulator.passphrase(label),
        "number": str,
        "enableRateLimit": False,
        "options": {"timeDifference": 0},
        **changes,
    }
    exchange = ccxt.bitget(given)
    exchange.urls["api"] = point_at(exchange.urls["api"], simulator.url)
    return exchange


@pytest.fixture(scope="module")
def client(simulator: BitgetSimulator) -> Iterator[Any]:
    exchange = connect(simulator, "leveraged")
    yield exchange
    exchange.session.close()


@pytest.fixture(scope="module")
def shared(simulator: BitgetSimulator) -> Iterator[Any]:
    exchange = connect(simulator, "hedged")
    yield exchange
    exchange.session.close()


@pytest.fixture(scope="module")
def told(simulator: BitgetSimulator) -> dict[str, Any]:
    accounts: dict[str, Any] = simulator.truth()["accounts"]
    return accounts


def ids(rows: list[dict[str, Any]]) -> set[str]:
    return {row["id"] for row in rows}


def since(client: Any, days: int) -> int:
    at: int = client.milliseconds() - days * DAY_MS
    return at


def test_it_finds_out_the_mode_by_itself(client: Any, shared: Any) -> None:
    client.fetch_balance()
    shared.fetch_balance()
    assert (client.options["uta"], shared.options["uta"]) == (False, True)


def test_markets(client: Any) -> None:
    markets = client.load_markets()
    assert markets["BTC/USDT"]["precision"] == {"amount": "0.00001", "price": "0.01"}
    assert (markets["BTC/USDT:USDT"]["linear"], markets["BTC/USDC:USDC"]["id"]) == (True, "BTCPERP")


def test_balances(client: Any, told: dict[str, Any]) -> None:
    spot = client.fetch_balance()["total"]
    assert {asset for asset, total in spot.items() if float(total)} == set(told["leveraged"]["balances"])
    futures = client.fetch_balance({"type": "swap"})["USDT"]
    assert float(futures["total"]) > 0


def test_spot_fills(client: Any, told: dict[str, Any]) -> None:
    client.load_markets()
    for symbol, fills in told["leveraged"]["fills"].items():
        rows = client.fetch_my_trades(client.markets_by_id[symbol][0]["symbol"], since(client, 80), 100)
        assert ids(rows) <= {str(row["id"]) for row in fills}
        assert len(rows) == min(len(fills), 100)


def test_fills_of_a_contract(client: Any, told: dict[str, Any]) -> None:
    fills = told["leveraged"]["futures"]["fills"]["XRPUSDT"]
    until = client.milliseconds()
    rows = client.fetch_my_trades("XRP/USDT:USDT", since(client, 6), 100, {"until": until})
    assert ids(rows) <= {str(row["id"]) for row in fills}
    assert rows


def test_open_orders_and_triggers(client: Any, told: dict[str, Any]) -> None:
    rows = [row for each in told["leveraged"]["orders"].values() for row in each]
    expected = {str(row["id"]) for row in rows if row["status"] in ("NEW", "PARTIALLY_FILLED")}
    assert ids(client.fetch_open_orders()) == expected


def test_positions_and_funding(client: Any, told: dict[str, Any]) -> None:
    futures = told["leveraged"]["futures"]
    found = {row["info"]["symbol"] for row in client.fetch_positions()}
    assert found == {row["contract"] for row in futures["positions"] if row["contract"].endswith("USDT")}
    paid = client.fetch_funding_history("BTC/USDT:USDT", since(client, 20), 100)
    assert ids(paid) <= {str(row["id"]) for row in futures["funding"]}


def test_deposits_and_withdrawals(client: Any, told: dict[str, Any]) -> None:
    facts = told["leveraged"]
    assert ids(client.fetch_deposits(None, since(client, 80))) == {
        str(row["id"]) for row in facts["deposits"]
    }
    assert ids(client.fetch_withdrawals(None, since(client, 80))) == {
        str(row["id"]) for row in facts["withdrawals"]
    }


def test_transfers(client: Any, told: dict[str, Any]) -> None:
    rows = client.fetch_transfers("USDT", since(client, 80), 100)
    moved = told["leveraged"]["futures"]["transfers"]
    assert ids(rows) == {str(row["id"]) for row in moved if (row["asset"], row["from"]) == ("USDT", "spot")}


def test_a_unified_account(shared: Any, told: dict[str, Any]) -> None:
    shared.load_markets()
    facts = told["hedged"]
    totals = shared.fetch_balance()["total"]
    assert {asset for asset, total in totals.items() if float(total)} == set(facts["wallets"]["spot"])
    fills = {str(row["id"]) for rows in facts["fills"].values() for row in rows}
    contracts = {str(row["id"]) for rows in facts["futures"]["fills"].values() for row in rows}
    until = shared.milliseconds()
    rows = shared.fetch_my_trades("ETH/USDT", since(shared, 29), 100, {"until": until, "category": "SPOT"})
    assert ids(rows) <= fills
    rows = shared.fetch_my_trades(
        "XRP/USDT:USDT", since(shared, 29), 100, {"until": until, "category": "USDT-FUTURES"}
    )
    assert ids(rows) <= contracts
    assert rows


def test_prices_and_candles(client: Any) -> None:
    assert float(client.fetch_tickers(["BGB/USDT"])["BGB/USDT"]["last"]) > 0
    midnight = client.milliseconds() // DAY_MS * DAY_MS - DAY_MS
    assert [row[0] for row in client.fetch_ohlcv("BTC/USDT", "1h", midnight, 20)] == [
        midnight + hour * DAY_MS // 24 for hour in range(20)
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"apiKey": "bg_" + "a" * 32}, "40006"),
        ({"secret": "b" * 64}, "40009"),
        ({"password": "wrong"}, "40012"),
    ],
)
def test_wrong_keys(simulator: BitgetSimulator, change: dict[str, str], code: str) -> None:
    stranger = connect(simulator, "quiet", options={"uta": False, "timeDifference": 0}, **change)
    with pytest.raises(ccxt.AuthenticationError, match=code):
        stranger.private_spot_get_v2_spot_account_assets()
    stranger.session.close()


@pytest.fixture(scope="module")
def collecting(simulator: BitgetSimulator) -> Iterator[Any]:
    exchange = connect(simulator, "collector")
    yield exchange
    exchange.session.close()


def test_conversions(collecting: Any, told: dict[str, Any]) -> None:
    rows = collecting.fetch_convert_trade_history(since=since(collecting, 80), limit=100)
    facts = [fact for fact in told["collector"]["conversions"] if not fact["is_dust"]]
    assert {(row["id"], row["fromCurrency"], float(row["toAmount"])) for row in rows} == {
        (str(fact["id"]), fact["from_asset"], float(fact["to_amount"])) for fact in facts
    }


def test_the_ledger_adds_up_to_the_balances(collecting: Any, told: dict[str, Any]) -> None:
    rows: list[dict[str, Any]] = []
    below: dict[str, str] = {}
    while page := collecting.fetch_ledger(since=since(collecting, 80), limit=500, params=below):
        rows += page
        below = {"idLessThan": min(row["id"] for row in page)}
    sums: dict[str, float] = {}
    for row in rows:
        change = (1 if row["direction"] == "in" else -1) * float(row["amount"]) - float(row["fee"]["cost"])
        sums[row["currency"]] = sums.get(row["currency"], 0) + change
    held = {coin: float(each["free"]) + float(each["locked"])
            for coin, each in told["collector"]["balances"].items()}  # fmt: skip
    assert {coin: total for coin, total in sums.items() if abs(total) > 1e-6} == pytest.approx(held)
