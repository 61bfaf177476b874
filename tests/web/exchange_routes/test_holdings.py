"""Accounts, assets, prices and the value of accounts by day, as the frontend takes them."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import quote

import pytest

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from exchanges.rows import PriceRow
from marketdata import tickers
from portfolio.models import AssetSnapshot, Grade, PortfolioSnapshot, WalletBalance
from tests.clients import JsonClient
from tests.factories import AccountFactory, TransferFactory
from tests.portfolio import api_books
from tests.web.exchange_routes import frontend
from tests.web.exchange_routes.frontend import body, misfits

pytestmark = pytest.mark.django_db


def report(account: ExchangeAccount, asset: str, free: str, locked: str = "0", wallet: str = "spot") -> None:
    """What the exchange said of an asset last."""
    with tenancy.acting_as(account.user_id):
        WalletBalance.objects.create(
            user_id=account.user_id,
            account=account,
            wallet=wallet,
            asset=asset,
            available=Decimal(free),
            locked=Decimal(locked),
            computed=Decimal(0),
            reported_at=clock.now(),
        )


def test_account_info_is_the_frontends(account: ExchangeAccount, reader: JsonClient) -> None:
    with tenancy.acting_as(account.user_id):
        ExchangeAccount.objects.update(
            maker_commission=Decimal("0.001"),
            taker_commission=Decimal("0.00125"),
            can_trade=True,
            permissions=["SPOT", "MARGIN"],
        )
    report(account, "USDT", "10", "2.50")

    info = body(reader.get("/binance/account-info"))

    assert misfits(info, frontend.ACCOUNT_INFO) == []
    assert info == {
        "makerCommission": 10,
        "takerCommission": Decimal("12.5"),
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": True,
        "accountType": "SPOT",
        "balances": [{"asset": "USDT", "free": "10", "locked": "2.5"}],
        "permissions": ["MARGIN", "SPOT"],
        "exchange": "binance",
        "accounts": [str(account.id)],
    }


def test_what_the_exchange_does_not_tell_is_null(account: ExchangeAccount, reader: JsonClient) -> None:
    info = body(reader.get("/binance/account-info"))

    assert (info["makerCommission"], info["canTrade"], info["balances"]) == (None, False, [])


@pytest.mark.parametrize(
    ("market", "expected"),
    [
        ("spot", {"USDT": "15"}),
        ("futures", {"USDT": "100", "BNB": "1"}),
        ("all", {"BNB": "1", "USDT": "115"}),
    ],
)
def test_contracts_have_a_wallet_of_their_own(
    market: str, expected: dict[str, str], account: ExchangeAccount, reader: JsonClient
) -> None:
    for wallet, asset, free in (
        ("spot", "USDT", "10"), ("funding", "USDT", "5"), ("futures", "USDT", "100"), ("futures", "BNB", "1"),
    ):  # fmt: skip
        report(account, asset, free, wallet=wallet)

    rows = body(reader.get("/binance/account-info", {"market": market}))["balances"]

    assert {row["asset"]: row["free"] for row in rows} == expected


def test_assets_are_the_frontends(account: ExchangeAccount, reader: JsonClient) -> None:
    api_books.list_pairs()
    api_books.quote(BTCUSDT="60000.5")
    report(account, "BTC", "0.5", "0.1")
    report(account, "XYZ", "7")
    TransferFactory.create(
        account=account, kind="WITHDRAWAL", asset="BTC", amount=Decimal("0.2"), status="pending"
    )
    TransferFactory.create(account=account, kind="WITHDRAWAL", asset="BTC", amount=Decimal(9))

    rows = body(reader.get("/binance/user-assets"))

    assert misfits(rows, [frontend.USER_ASSET]) == []
    assert rows == [
        {
            "asset": "BTC",
            "free": "0.5",
            "locked": "0.1",
            "freeze": "0",
            "withdrawing": "0.2",
            "exchange": "binance",
            "usdValue": Decimal("36000.3"),
            "pricePerUnit": Decimal("60000.5"),
        },
        {
            "asset": "XYZ",
            "free": "7",
            "locked": "0",
            "freeze": "0",
            "withdrawing": "0",
            "exchange": "binance",
            "usdValue": None,
            "pricePerUnit": None,
        },
    ]


def test_several_accounts_add_up_unless_one_is_named(account: ExchangeAccount, reader: JsonClient) -> None:
    other = AccountFactory.create(user=account.user, label="Other")
    report(account, "USDT", "10")
    report(other, "USDT", "5")

    found = [
        [row["free"] for row in body(reader.get("/binance/user-assets", query))]
        for query in ({}, {"account": "Other"}, {"account": str(account.id)})
    ]

    assert found == [["15"], ["5"], ["10"]]


def test_a_demo_account_is_never_summed_with_live_ones(account: ExchangeAccount, reader: JsonClient) -> None:
    demo = AccountFactory.create(user=account.user, label="Play", mode="demo")
    report(account, "USDT", "10")
    report(demo, "USDT", "5")

    found = [body(reader.get("/binance/user-assets", query))[0]["free"] for query in ({}, {"mode": "demo"})]

    assert found == ["10", "5"]


def test_the_assets_of_a_closed_account_are_not_held_any_more(
    account: ExchangeAccount, reader: JsonClient
) -> None:
    closed = AccountFactory.create(user=account.user, label="Closed", is_active=False)
    report(account, "USDT", "10")
    report(closed, "USDT", "5")

    assert [row["free"] for row in body(reader.get("/binance/user-assets"))] == ["10"]


def test_bitgets_assets_speak_bitget(bitget: ExchangeAccount, reader: JsonClient) -> None:
    report(bitget, "USDT", "10", "2")

    rows = body(reader.get("/bitget/account/spot/assets"))

    assert misfits(rows, [frontend.BITGET_ASSET]) == []
    assert [(row["coin"], row["available"], row["frozen"], row["locked"]) for row in rows] == [
        ("USDT", "10", "2", "0")
    ]


def test_tickers_need_no_account(reader: JsonClient) -> None:
    api_books.list_pairs()
    api_books.quote(BTCUSDT="60000.10", BNBUSDT="600")

    rows, one = (body(reader.get("/binance/tickers", query)) for query in ({}, {"symbol": "BTCUSDT"}))

    assert misfits(rows, [frontend.TICKER]) == []
    assert [(row["symbol"], row["lastPr"]) for row in rows] == [("BNBUSDT", "600"), ("BTCUSDT", "60000.1")]
    assert [(row["lastPrice"], row["baseAsset"], row["quoteAsset"]) for row in one] == [
        ("60000.1", "BTC", "USDT")
    ]


def test_old_prices_are_marked(reader: JsonClient) -> None:
    api_books.list_pairs()
    headers = reader.get("/binance/tickers").headers
    ages = [(headers["X-Data-Stale"], headers.get("X-Data-Stale-Reason"))]
    for minutes in (10, 0):
        read_at = clock.now() - timedelta(minutes=minutes)
        tickers.store(exchange="binance", rows=[PriceRow("BTCUSDT", Decimal(1))], at=read_at)
        headers = reader.get("/binance/tickers").headers
        ages.append((headers["X-Data-Stale"], headers.get("X-Data-Stale-Reason")))

    assert ages == [("true", "never_read"), ("true", "old"), ("false", None)]


def test_the_snapshots_totals_are_graded(account: ExchangeAccount, reader: JsonClient) -> None:
    api_books.small(account.user, "Books")

    headers = reader.get("/binance/account-snapshot", {"account": "Books"}).headers
    unread = reader.get("/binance/account-snapshot").headers

    assert (headers["X-Data-Grade"], headers["X-Data-Grade-Reasons"]) == ("partial", "not_compared")
    assert (unread["X-Data-Grade"], unread["X-Data-Grade-Reasons"]) == ("unreliable", "not_read,not_compared")
    assert "X-Data-Grade" not in reader.get("/binance/user-assets").headers


def test_what_of_the_snapshot_is_missing_is_told(account: ExchangeAccount, reader: JsonClient) -> None:
    assert reader.get("/binance/account-snapshot").headers["X-Data-Stale-Reason"] == "never_read"
    api_books.small(account.user, "Books")

    headers = reader.get("/binance/account-snapshot").headers
    told = f"never_read:{quote(account.label)}"
    assert (headers["X-Data-Stale"], headers["X-Data-Stale-Reason"]) == ("true", told)


def test_the_snapshot_is_the_frontends(account: ExchangeAccount, reader: JsonClient) -> None:
    made = api_books.small(account.user, "Books")

    answer = body(reader.get("/binance/account-snapshot", {"account": "Books", "period": "30d"}))

    assert misfits(answer, frontend.SNAPSHOT) == []
    with tenancy.acting_as(account.user_id):
        stored = list(PortfolioSnapshot.objects.filter(account=made).order_by("snapshot_date"))
    assert [(row["date"], row["totalValueUSD"]) for row in answer["snapshots"]] == [
        (row.snapshot_date.isoformat(), row.total_balance) for row in stored
    ]
    assert answer["totalSnapshots"] == len(stored)
    assert answer["currentValue"] == stored[-1].total_balance
    assert answer["summary"]["topAssets"][0] == {
        "asset": "USDT",
        "quantity": "947",
        "usdValue": 947,
        "percentage": Decimal("88.2984"),
    }
    last = answer["snapshots"][-1]
    assert last["balances"] == [
        {"asset": "BTC", "free": "1", "locked": "0"},
        {"asset": "USDT", "free": "947", "locked": "0"},
    ]
    assert last["totalAssetOfBtc"] == (last["totalValueUSD"] / Decimal("125.5")).quantize(Decimal("1e-18"))


def days_worth(account: ExchangeAccount, *worth: str, flows: dict[int, str] | None = None) -> None:
    """Snapshots of the last days, today included."""
    today = clock.utc_day(clock.now())
    with tenancy.acting_as(account.user_id):
        for number, value in enumerate(worth):
            zeros = dict.fromkeys(
                (
                    *("total_positions_value", "unrealized_pnl", "realized_pnl", "gross_pnl", "fees"),
                    *("unexplained", "revaluation", "residual", "total_realized_pnl", "total_fees_paid"),
                    *("open_positions_count", "total_trades_count", "winning_trades_count"),
                    "losing_trades_count",
                ),
                0,
            )
            PortfolioSnapshot.objects.create(
                user_id=account.user_id,
                account=account,
                exchange=account.exchange,
                snapshot_date=today - clock.DAY * (len(worth) - 1 - number),
                currency="USDT",
                total_balance=Decimal(value),
                flows=Decimal((flows or {}).get(number, "0")),
                is_reconstructed=False,
                is_final=True,
                grade=Grade.COMPLETE,
                engine_version=1,
                computed_at=clock.now(),
                **zeros,
            )


@pytest.mark.parametrize(
    ("worth", "flows", "expected"),
    [
        (["100", "110", "121"], {}, ("21", "21", 2, "10")),
        (["100", "210", "231"], {1: "100"}, ("15.5", "131", 2, "7.4709")),
        (["0", "0.5", "100", "90"], {2: "99.5"}, ("-10", None, 1, "-10")),
        (["0.5", "100", "150"], {1: "99.5"}, ("50", "29900", 1, "50")),
        (["100"], {}, (None, "0", 0, None)),
        (["0", "0"], {}, (None, None, 0, None)),
        ([], {}, (None, None, 0, None)),
    ],
)
def test_deposits_are_no_return(
    worth: list[str],
    flows: dict[int, str],
    expected: tuple[str | None, str | None, int, str | None],
    account: ExchangeAccount,
    reader: JsonClient,
) -> None:
    days_worth(account, *worth, flows=flows)

    made = body(reader.get("/binance/account-snapshot"))["performance"]

    assert (made["totalReturn"], made["rawTotalReturn"], made["days"], made["avgDailyReturn"]) == expected


def test_an_account_stands_as_it_was_told_before_the_period(
    account: ExchangeAccount, reader: JsonClient
) -> None:
    quiet = AccountFactory.create(user=account.user, label="Quiet")
    days_worth(account, "100", "100", "100", "100")
    days_worth(quiet, "40", "40", "40", "40")
    with tenancy.acting_as(account.user_id):
        rows = PortfolioSnapshot.objects.filter(account=quiet).order_by("snapshot_date")
        AssetSnapshot.objects.create(
            user_id=account.user_id,
            account=quiet,
            snapshot=rows[0],
            asset="USDT",
            quantity=40,
            price=1,
            value=40,
        )
        PortfolioSnapshot.objects.filter(id__in=[row.pk for row in rows[1:]]).delete()
    answer = body(reader.get("/binance/account-snapshot", {"period": "2d"}))

    assert [(day["totalValueUSD"], day["balances"]) for day in answer["snapshots"]] == [
        (140, [{"asset": "USDT", "free": "40", "locked": "0"}])
    ] * 3


def test_five_years_are_told_and_no_more(account: ExchangeAccount, reader: JsonClient) -> None:
    answers = [reader.get("/binance/account-snapshot", {"period": period}) for period in ("5y", "6y")]

    assert [answer.status_code for answer in answers] == [200, 400]


def test_the_meaningful_start_is_the_first_day_worth_a_dollar(
    account: ExchangeAccount, reader: JsonClient
) -> None:
    days_worth(account, "0.2", "1", "5", flows={1: "0.8", 2: "4"})

    answer = body(reader.get("/binance/account-snapshot"))

    assert [answer[name] for name in ("initialValue", "meaningfulInitialValue", "currentValue")] == [
        Decimal("0.2"), 1, 5,
    ]  # fmt: skip
    assert [day["change24h"] for day in answer["snapshots"]] == [None, 0, 0]
