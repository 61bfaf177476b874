"""Who may ask what, what is refused, how old the answers are, and what they cost."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import Transfer
from pipeline.models import CursorState, Stream, SyncCursor
from portfolio.models import WalletBalance
from tests.clients import JsonClient, problem, stranger
from tests.factories import AccountFactory, FillFactory, OrderFactory, TransferFactory
from tests.web.exchange_routes.frontend import body

pytestmark = pytest.mark.django_db

ROUTES = (
    *("account-info", "user-assets", "open-orders", "order-history", "account-snapshot"),
    *("deposit-history", "withdraw-history", "transfer-history", "trade-fills"),
)
BITGETS = (
    *("/bitget/order/all-open-orders", "/bitget/order/trade-fills", "/bitget/account/spot/assets"),
    *("/bitget/deposit-records", "/bitget/withdrawal-records"),
)
OWNED = (*(f"/{exchange}/{route}" for exchange in ("binance", "bitget") for route in ROUTES), *BITGETS)
PATHS = (*OWNED, "/binance/tickers", "/bitget/tickers")
TIMED = ("order-history", "trade-fills", "deposit-history", "withdraw-history", "transfer-history")
every_path = pytest.mark.parametrize("path", PATHS)
owned_path = pytest.mark.parametrize("path", OWNED)


@every_path
def test_a_stranger_is_asked_to_log_in(path: str) -> None:
    assert problem(stranger().get(path))[:2] == (401, "not_authenticated")


@every_path
def test_reading_is_all_there_is(path: str, as_bob: JsonClient) -> None:
    answers = [getattr(as_bob, method)(path) for method in ("post", "put", "patch", "delete")]
    assert [problem(answer)[:2] for answer in answers] == [(405, "method_not_allowed")] * 4


@every_path
def test_unknown_parameters_are_refused(path: str, as_bob: JsonClient) -> None:
    assert problem(as_bob.get(f"{path}?accont=Main")) == (400, "invalid", [("/accont", "unknown")])


@owned_path
def test_another_users_account_is_not_there(
    path: str, account: ExchangeAccount, bitget: ExchangeAccount, as_bob: JsonClient
) -> None:
    names = (str(account.id), str(bitget.id), "Main", "Bitget", str(uuid4()))
    answers = [as_bob.get(path, {"account": name}) for name in names]
    assert [problem(answer)[:2] for answer in answers] == [(404, "not_found")] * 5


@owned_path
def test_without_an_account_there_the_answer_says_what_to_do(path: str, as_bob: JsonClient) -> None:
    answer = as_bob.get(path)

    assert problem(answer)[:2] == (404, "no_account")
    assert "connect one" in answer.json()["detail"]


def test_files_are_no_exchange_to_connect(as_bob: JsonClient) -> None:
    answer = as_bob.get("/files/trade-fills")

    assert problem(answer)[:2] == (404, "no_account")
    assert "import_history" in answer.json()["detail"]


@pytest.mark.parametrize("route", [*ROUTES, "tickers"])
def test_an_exchange_nobody_knows_is_not_there(route: str, reader: JsonClient) -> None:
    answers = [reader.get(f"/{name}/{route}") for name in ("mtgox", "fred", "Binance")]
    assert [problem(answer)[:2] for answer in answers] == [(404, "unknown_exchange")] * 3


@pytest.mark.parametrize("route", [*ROUTES, "tickers"])
@pytest.mark.parametrize("exchange", ["binance", "bitget", "gateio", "mexc"])
def test_every_exchange_answers_every_route(
    exchange: str, route: str, account: ExchangeAccount, reader: JsonClient
) -> None:
    AccountFactory.create(user=account.user, exchange=exchange, label="There")
    assert reader.get(f"/{exchange}/{route}").status_code == 200


@pytest.mark.parametrize("path", BITGETS)
def test_bitgets_own_paths_answer(path: str, bitget: ExchangeAccount, reader: JsonClient) -> None:
    assert reader.get(path).status_code == 200


@pytest.mark.parametrize("route", TIMED)
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"limit": "0"}, "/limit"), ({"limit": "501"}, "/limit"), ({"cursor": "MTIz"}, "/cursor"),
        ({"startTime": "yesterday"}, "/startTime"), ({"startTime": "-1"}, "/startTime"),
        ({"endTime": "9" * 20}, "/endTime"), ({"startTime": "2", "endTime": "1"}, "/endTime"),
        ({"endTime": "253402300799999"}, "/endTime"),
        ({"live": "perhaps"}, "/live"), ({"mode": "both"}, "/mode"),
    ],
)  # fmt: skip
def test_bad_questions_are_refused(
    route: str, query: dict[str, str], pointer: str, account: ExchangeAccount, reader: JsonClient
) -> None:
    status, _, errors = problem(reader.get(f"/binance/{route}", query))

    assert (status, [place for place, _ in errors]) == (400, [pointer])


@pytest.mark.parametrize(
    ("path", "query", "pointer"),
    [
        ("/binance/open-orders", {"market": "margin"}, "/market"),
        ("/binance/tickers", {"market": "margin"}, "/market"),
        ("/binance/account-snapshot", {"period": "fortnight"}, "/period"),
        ("/binance/account-snapshot", {"period": "9y"}, "/period"),
        ("/binance/trade-fills", {"symbol": "B\x00TC"}, "/symbol"),
        ("/binance/deposit-history", {"symbol": "BTCUSDT"}, "/symbol"),
    ],
)
def test_what_a_route_does_not_know_is_refused(
    path: str, query: dict[str, str], pointer: str, account: ExchangeAccount, reader: JsonClient
) -> None:
    status, _, errors = problem(reader.get(path, query))

    assert (status, [place for place, _ in errors]) == (400, [pointer])


def read_at(
    account: ExchangeAccount, minutes: int, *streams: Stream, state: str = CursorState.INCREMENTAL
) -> None:
    """The streams were read that many minutes ago."""
    at = clock.now() - timedelta(minutes=minutes)
    with tenancy.acting_as(account.user_id):
        for stream in streams:
            SyncCursor.objects.create(
                user_id=account.user_id, account=account, stream=stream, due_at=at, last_ok_at=at, state=state
            )


def age(reader: JsonClient, path: str, **query: str) -> tuple[str, str]:
    answer = reader.get(path, query)
    assert answer.status_code == 200
    return answer.headers["X-Data-Stale"], answer.headers.get("X-Data-Stale-Reason", "")


def test_the_age_is_that_of_the_streams_behind_an_answer(
    account: ExchangeAccount, reader: JsonClient
) -> None:
    read_at(account, 5, Stream.BALANCES, Stream.OPEN_ORDERS)
    read_at(account, 90, Stream.DEPOSITS)

    ages = [age(reader, f"/binance/{route}") for route in ("user-assets", "trade-fills", "deposit-history")]

    assert ages == [("false", ""), ("false", ""), ("true", "old")]


def test_an_account_of_one_wallet_has_no_transfers_to_wait_for(
    account: ExchangeAccount, reader: JsonClient
) -> None:
    read_at(account, 5, Stream.BALANCES)
    without = age(reader, "/binance/transfer-history")
    read_at(account, 90, Stream.TRANSFERS)

    assert (without, age(reader, "/binance/transfer-history")) == (("false", ""), ("true", "old"))


def test_the_oldest_account_decides(account: ExchangeAccount, reader: JsonClient) -> None:
    other = AccountFactory.create(user=account.user, label="Other")
    read_at(account, 1, Stream.BALANCES)
    never = age(reader, "/binance/user-assets")
    read_at(other, 30, Stream.BALANCES)
    answer = reader.get("/binance/user-assets")

    assert never == ("true", "never_read")
    assert answer.headers["X-Data-Stale"] == "false"
    with tenancy.acting_as(account.user_id):
        oldest = SyncCursor.objects.get(account=other).last_ok_at
    assert oldest is not None
    assert answer.headers["X-Data-As-Of"] == oldest.isoformat().replace("+00:00", "Z")


def test_a_history_read_for_the_first_time_is_not_complete(
    account: ExchangeAccount, reader: JsonClient
) -> None:
    read_at(account, 1, Stream.BALANCES, Stream.OPEN_ORDERS)
    read_at(account, 1, Stream.ORDERS, Stream.FILLS, state=CursorState.BACKFILL)

    assert age(reader, "/binance/trade-fills") == ("true", "history_incomplete")
    assert age(reader, "/binance/user-assets") == ("false", "")


def test_contracts_that_are_still_read_leave_an_answer_of_spot_complete(
    account: ExchangeAccount, reader: JsonClient
) -> None:
    read_at(account, 1, Stream.BALANCES, Stream.OPEN_ORDERS, Stream.CONTRACT_OPEN)
    read_at(account, 1, Stream.ORDERS, Stream.FILLS)
    read_at(account, 1, Stream.CONTRACT_FILLS, state=CursorState.BACKFILL)

    reasons = [age(reader, "/binance/trade-fills", market=market)[1] for market in ("spot", "futures", "all")]

    assert reasons == ["", "history_incomplete", "history_incomplete"]


def test_a_closed_account_does_not_age(account: ExchangeAccount, reader: JsonClient) -> None:
    read_at(account, 600, Stream.BALANCES)
    with tenancy.acting_as(account.user_id):
        ExchangeAccount.objects.update(is_active=False)

    assert age(reader, "/binance/user-assets") == ("false", "")


@pytest.mark.parametrize("route", [*ROUTES, "tickers"])
def test_one_row_takes_as_many_queries_as_three(
    route: str, account: ExchangeAccount, reader: JsonClient
) -> None:
    counts = []
    for rows in (1, 2):
        for number in range(rows):
            add_facts(account, f"{rows}{number}")
        reader.get(f"/binance/{route}")
        with CaptureQueriesContext(connection) as queries:
            reader.get(f"/binance/{route}")
        counts.append(len(queries))

    assert counts[0] == counts[1]


def add_facts(account: ExchangeAccount, name: str) -> None:
    """One more of everything, in an account more."""
    other = AccountFactory.create(user=account.user, label=name)
    OrderFactory.create(account=other, symbol=name)
    FillFactory.create(account=other, symbol=name)
    for kind in ("DEPOSIT", "WITHDRAWAL", "INTERNAL"):
        TransferFactory.create(account=other, kind=kind, status="pending")
    with tenancy.acting_as(account.user_id):
        WalletBalance.objects.create(
            user_id=account.user_id, account=other, asset=name, available=1, locked=0, computed=0,
            reported_at=clock.now(),
        )  # fmt: skip


def test_a_long_history_of_transfers_is_read_by_index(account: ExchangeAccount) -> None:
    with tenancy.acting_as(account.user_id), connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"
        )  # of few rows all cost the same
        rows: Any = Transfer.objects.filter(kind="DEPOSIT", account_id__in=[account.id])
        plan = rows.order_by("-occurred_at", "-id").values("id")[:50].explain()

    assert "transfer_list" in plan
    assert "Sort" not in plan


def test_another_users_facts_are_not_told(account: ExchangeAccount, bob: Any, as_bob: JsonClient) -> None:
    add_facts(account, "1")
    AccountFactory.create(user=bob, label="Bobs")

    told = [
        body(as_bob.get(f"/binance/{route}"))
        for route in ROUTES
        if route not in ("account-info", "account-snapshot")
    ]

    assert told == [[]] * 7
