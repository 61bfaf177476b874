"""Days of the curve, snapshots and metrics explained through the API."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from core.django import tenancy
from credentials.models import ExchangeAccount
from portfolio.models import PerformanceMetric, PortfolioSnapshot, Trade, TradeDay
from portfolio.selectors.trees import metric_trades, node
from tests.clients import JsonClient, client_of, problem, stranger
from tests.portfolio import api_books
from tests.portfolio.books import fill, fold, transfer

pytestmark = pytest.mark.django_db


def explained(client: JsonClient, path: str) -> Any:
    response = client.get(path if path.startswith("/") else f"/api/explain/{path}")
    assert response.status_code == 200, response.content
    return response.json()


def differing(tree: Any) -> list[str]:
    return [check["name"] for check in tree["checks"] if check["equal"] is not True]


def rows(user: User) -> list[PortfolioSnapshot]:
    with tenancy.acting_as(user.id):
        return list(PortfolioSnapshot.objects.order_by("account_id", "snapshot_date"))


def children(parent: Any) -> dict[str, Any]:
    return {child["name"]: child for child in parent["children"]}


def counted(root: Any) -> dict[str, str]:
    return {each["name"]: each["value"] for each in root["children"] if each["sign"]}


def busy(user: User, sales: int) -> ExchangeAccount:
    """Coins bought one day and sold by so many orders the next."""
    api_books.list_pairs()
    for before in range(4):
        api_books.candle("BTCUSDT", api_books.day(before, 0), "120", "1d")
    account = api_books.open_account(user)
    start = api_books.day(2)
    sold = [
        fill(account, "SELL", "1", f"15{place}", executed_at=start + timedelta(minutes=place),
             exchange_order_id=f"out{place}", fee_amount=Decimal("0.3"))
        for place in range(sales)
    ]  # fmt: skip
    bought = fill(account, "BUY", "5", "100", executed_at=api_books.day(3))
    fold(account, transfer(account, occurred_at=api_books.day(3, 8)), bought, *sold)
    api_books.report(account, {"USDT": "2000", "BTC": str(5 - sales)})
    api_books.derive(account)
    return account


def test_every_day_and_snapshot_adds_up(alice: User, as_alice: JsonClient) -> None:
    account = api_books.small(alice)
    days = rows(alice)

    paths = [f"day/{row.snapshot_date}" for row in days] + [f"snapshot/{row.pk}" for row in days]
    trees = [explained(as_alice, path) for path in paths]

    assert [(differing(tree), tree["adds_up"]) for tree in trees] == [([], True)] * 2 * len(days)
    by_name = explained(as_alice, f"snapshot/{account.id}:{days[-1].snapshot_date}")
    assert by_name == trees[-1]


def test_the_day_of_a_sale_is_explained_down_to_its_fills(alice: User, as_alice: JsonClient) -> None:
    api_books.small(alice)
    (trade,) = api_books.trades(alice)

    root = explained(as_alice, f"day/{trade.exit_time.date()}")["root"]

    # 1 of 2 bought at 100 sold at 150 for a fee of 2; both days close at 120.
    assert (root["value"], counted(root)) == (
        "28",
        {
            "flows": "0", "gross_pnl": "50", "unrealized": "-20", "revaluation": "0", "funding": "0",
            "fees": "2", "residual": "0",
        },
    )  # fmt: skip
    (book,) = children(root)["gross_pnl"]["children"]
    (part,) = book["children"]
    assert [(each["name"], each["value"], each["details"]["fill"]) for each in part["children"]] == [
        ("proceeds", "150", "2"),
        ("cost", "100", "1"),
    ]
    assert part["link"] == f"/api/explain/trade/{trade.pk}"
    (fee,) = children(root)["fees"]["children"]
    assert (fee["value"], [each["value"] for each in fee["children"]]) == ("2", ["2", "1"])


def test_what_was_paid_in_stands_at_the_close(alice: User, as_alice: JsonClient) -> None:
    api_books.small(alice)

    flows = children(explained(as_alice, f"day/{rows(alice)[0].snapshot_date}")["root"])["flows"]

    assert (flows["value"], counted(flows)) == ("1000", {"deposited:USDT": "1000"})


def test_a_day_of_all_accounts_is_their_sum_and_leads_on(alice: User, as_alice: JsonClient) -> None:
    for label in ("Main", "Second"):
        api_books.small(alice, label)
    day = rows(alice)[1].snapshot_date

    tree = explained(as_alice, f"day/{day}")
    parts = [explained(as_alice, each["link"]) for each in tree["root"]["children"]]

    assert (tree["root"]["value"], [each["root"]["value"] for each in parts]) == ("56", ["28", "28"])
    assert [each["adds_up"] for each in (tree, *parts)] == [True] * 3


def test_a_wrong_column_of_a_snapshot_is_found(alice: User, as_alice: JsonClient) -> None:
    api_books.small(alice)
    row = rows(alice)[1]
    with tenancy.acting_as(alice.id):
        PortfolioSnapshot.objects.filter(id=row.pk).update(fees=row.fees + Decimal("1e-18"))

    assert differing(explained(as_alice, f"day/{row.snapshot_date}")) == ["equity_change/fees"]


def test_long_lists_of_a_day_lead_on(
    alice: User, as_alice: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "LIMIT", 2)
    busy(alice, 3)
    day = api_books.day(2).date()

    tree = explained(as_alice, f"day/{day}")
    root = children(tree["root"])
    (book,) = root["gross_pnl"]["children"]
    fees = root["fees"]["children"]
    whole = explained(as_alice, book["link"])["root"]
    more = [explained(as_alice, each["children"][-1]["link"])["root"] for each in (whole, root["fees"])]

    assert tree["adds_up"] is True
    assert (whole["value"], [each["count"] for each in whole["children"]]) == ("153", [1, 1, 1])
    assert (fees[-1]["name"], fees[-1]["value"]) == ("rest", "0.3")
    assert [each["value"] for each in more] == ["52", "0.3"]


def test_statements_do_not_grow_with_rows(alice: User, bob: User) -> None:
    def statements(user: User, sales: int) -> list[int]:
        busy(user, sales)
        client, counts = client_of(user), []
        for path in (f"day/{api_books.day(2).date()}", "metric/all_time", f"snapshot/{rows(user)[1].pk}"):
            with CaptureQueriesContext(connection) as queries:
                explained(client, path)
            counts.append(len(queries))
        return counts

    few, many = statements(alice, 1), statements(bob, 3)

    assert few == many
    assert max(many) <= 24


def test_metrics_are_the_sum_of_their_days(alice: User, as_alice: JsonClient) -> None:
    api_books.small(alice)

    tree = explained(as_alice, "metric/all_time")
    (day,) = [each for each in tree["root"]["children"] if each["sign"]]
    by_id = explained(as_alice, f"metric/{tree['id']}")

    assert (tree["root"]["value"], day["value"], tree["adds_up"]) == ("47.5", "47.5", True)
    assert children(tree["root"])["win_rate"]["value"] == "100"
    assert children(tree["root"])["profit_factor"]["details"]["reason"] == "no_losses"
    assert by_id == tree
    assert explained(as_alice, day["link"])["root"]["value"] == "28"


def test_metrics_lead_to_the_largest_trades_and_to_those_of_each_day(
    alice: User, as_alice: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_trades, "MOST", 2)
    account = busy(alice, 3)
    fold(account, fill(account, "SELL", "2", "90", executed_at=api_books.day(1), exchange_order_id="loss"))
    api_books.derive(account)

    tree = explained(as_alice, "metric/all_time")
    factor = children(children(tree["root"])["profit_factor"])
    [lost] = factor["losses"]["children"]
    last = [each for each in tree["root"]["children"] if each["name"].startswith("day:")][-1]
    listed = explained(as_alice, children(last)["trades"]["link"])

    # 1 of 5 sold at 150, 151 and 152, bought at 100, for 0.3 each.
    assert [each["value"] for each in factor["wins"]["children"]] == ["51.7", "50.7", "49.7"]
    assert [each["name"] for each in factor["wins"]["children"]][-1] == "rest"
    assert explained(as_alice, lost["link"])["root"]["value"] == "-20"
    assert (listed["root"]["value"], len(listed["root"]["children"])) == ("-20", 1)
    assert (tree["adds_up"], listed["adds_up"]) == (True, True)
    wins = explained(as_alice, children(children(tree["root"])["win_rate"])["dividend"]["link"])
    assert (wins["root"]["value"], wins["root"]["count"]) == ("152.1", 3)


def test_a_trade_that_the_sums_do_not_know_is_found_among_the_smaller_ones(
    alice: User, as_alice: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_trades, "MOST", 1)
    account = busy(alice, 3)
    fold(account, fill(account, "SELL", "2", "160", executed_at=api_books.day(1), exchange_order_id="later"))
    api_books.derive(account)
    [_, others] = explained(as_alice, "metric/all_time?part=wins")["root"]["children"]
    monkeypatch.setattr(metric_trades, "MOST", 2)
    known = explained(as_alice, "metric/all_time?part=wins")
    with tenancy.acting_as(alice.id):
        TradeDay.objects.filter(day=api_books.day(2).date()).update(profit=Decimal(155))
    wrong = [f"metric/all_time?part={part}" for part in ("wins", f"trades:{api_books.day(2).date()}")]

    assert (others["name"], others["value"], others["count"]) == ("other_days", "152.1", 3)
    assert [each["value"] for each in known["root"]["children"]] == ["120", "51.7", "100.4"]
    assert (known["adds_up"], [differing(explained(as_alice, path)) for path in wrong]) == (
        True,
        [["wins"], ["trades"]],
    )


def test_a_period_that_is_not_kept_yet_is_told_as_answers_tell_it(alice: User, as_alice: JsonClient) -> None:
    """Just after midnight the newest row is yesterday's."""
    api_books.small(alice)
    day = api_books.day(0).date()
    with tenancy.acting_as(alice.id):
        kept = PerformanceMetric.objects.filter(account__isnull=True, period_type="DAILY")
        before = explained(as_alice, f"metric/daily:{day}")
        kept.filter(period_start=api_books.day(0, 0)).delete()
    after = explained(as_alice, f"metric/daily:{day}")
    sold = api_books.day(4).date()

    assert before["checks"] == after["checks"]
    assert (after["id"], after["details"]["period_start"][:10]) == (f"daily:{day}", str(day))
    assert explained(as_alice, "metric/daily")["details"]["period_start"][:10] == str(day - timedelta(days=1))
    assert explained(as_alice, f"metric/weekly:{sold}")["root"]["value"] == "47.5"
    assert explained(as_alice, f"metric/all_time:{sold}")["root"]["value"] == "47.5"
    assert explained(as_alice, f"metric/all_time:{sold - timedelta(days=1)}")["root"]["value"] == "0"


def test_metrics_of_a_strategy_are_of_its_trades(alice: User, as_alice: JsonClient) -> None:
    account = busy(alice, 3)
    with tenancy.acting_as(alice.id):
        Trade.objects.filter(exit_order_id="out1").update(strategy="grid")
    api_books.derive(account)
    paths = (
        "all_time?strategy=grid",
        f"monthly:{api_books.day(2).date()}?strategy=grid&account={account.id}",
    )

    for path in paths:
        tree = explained(as_alice, f"metric/{path}")
        day = next(each for each in tree["root"]["children"] if each["name"].startswith("day:"))
        listed = explained(as_alice, children(day)["trades"]["link"])
        assert (tree["root"]["value"], tree["details"]["strategy"], tree["adds_up"]) == ("50.7", "grid", True)
        assert (listed["root"]["value"], listed["adds_up"]) == ("50.7", True)
        assert explained(as_alice, day["link"])["kind"] == "day"


def test_wrong_metrics_are_found(alice: User, as_alice: JsonClient) -> None:
    api_books.small(alice)
    with tenancy.acting_as(alice.id):
        PerformanceMetric.objects.update(
            total_net_pnl=Decimal(48), win_rate=Decimal(50), return_percentage=1, max_drawdown=2
        )

    names = ("win_rate", "return_percentage", "max_drawdown")
    assert {"total_net_pnl", *(f"total_net_pnl/{name}" for name in names)} <= set(
        differing(explained(as_alice, "metric/all_time"))
    )


def test_somebody_elses_days_are_not_there(alice: User, as_bob: JsonClient) -> None:
    account = api_books.small(alice)
    row = rows(alice)[-1]
    with tenancy.acting_as(alice.id):
        metric = PerformanceMetric.objects.all()[0].pk

    paths = (
        f"day/{row.snapshot_date}", f"day/{row.snapshot_date}?account={account.id}", f"snapshot/{row.pk}",
        f"snapshot/{account.id}:{row.snapshot_date}", f"metric/{metric}", f"metric/{10**30}", "metric/all_time",
        f"snapshot/{10**30}", f"snapshot/{10**18}",
    )  # fmt: skip
    assert [as_bob.get(f"/api/explain/{path}").status_code for path in paths[:-2]] == [404] * 7
    assert as_bob.get(f"/api/explain/{paths[-1]}").status_code == 404


@pytest.mark.parametrize("path", ["day/2026-01-01", "snapshot/1", "metric/1"])
def test_a_stranger_is_asked_to_log_in(path: str) -> None:
    assert problem(stranger().get(f"/api/explain/{path}"))[:2] == (401, "not_authenticated")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("day/today", 404), ("day/2026-13-01", 404), ("day/2026-01-01", 404), ("snapshot/x", 404),
        ("snapshot/x:2026-01-01", 404), ("metric/yearly", 404), ("metric/1?acount=2", 400),
        ("metric/daily:today", 404), ("metric/daily:2026-01-01", 404), ("metric/daily:9999-12-31", 404),
        ("nothing/1", 404),
    ],
)  # fmt: skip
def test_what_is_no_day_and_no_row_is_refused(path: str, status: int, as_alice: JsonClient) -> None:
    assert as_alice.get(f"/api/explain/{path}").status_code == status
