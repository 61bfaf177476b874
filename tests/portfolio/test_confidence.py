"""How far totals can be trusted, and why not further."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from credentials.scope import resolve
from portfolio import marks, metrics, reconciliation
from portfolio.accounting.periods import parse_period
from portfolio.models import (
    AccountMark,
    Book,
    PerformanceMetric,
    PortfolioSnapshot,
    ReconciliationItem,
    Trade,
)
from portfolio.reconciliation import Known
from portfolio.selectors import confidence as selectors
from tests.clients import JsonClient
from tests.portfolio import api_books

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    """947 USDT and a coin worth 120, all of it explained and compared."""
    account = api_books.small(alice)
    compare(account)
    return account


def compare(account: ExchangeAccount, *coverage: str, **reported: str) -> None:
    """After a read of everything, but for what `coverage` names."""
    if reported:
        api_books.report(account, reported)
    reconciliation.reconcile(
        user_id=account.user_id,
        account_id=account.id,
        known=Known(codes=coverage),
        at=clock.now() + timedelta(minutes=5),
    )


def grade(user: User, at_hours: int = 0) -> tuple[str, list[str]]:
    with tenancy.acting_as(user.id):
        found = selectors.confidence(scope=resolve(), at=clock.now() + timedelta(hours=at_hours))
    return found.grade, [str(reason) for reason in found.reasons]


def test_what_is_explained_is_complete(alice: User, account: ExchangeAccount) -> None:
    assert grade(alice) == ("complete", [])


def test_a_little_difference_makes_it_partial(alice: User, account: ExchangeAccount) -> None:
    compare(account, USDT="948", BTC="1")

    assert grade(alice) == ("partial", ["difference:balance:USDT"])


def test_more_than_a_hundredth_of_the_equity_makes_it_unreliable(
    alice: User, account: ExchangeAccount
) -> None:
    compare(account, USDT="958", BTC="1")

    assert grade(alice) == ("unreliable", ["difference:balance:USDT"])


def test_a_contradicted_position_makes_it_unreliable(alice: User, account: ExchangeAccount) -> None:
    compare(account, USDT="948", BTC="1")
    with tenancy.acting_as(alice.id):
        ReconciliationItem.objects.update(kind="position", subject="BTCUSDT", side="LONG", value=None)

    assert grade(alice) == ("unreliable", ["difference:position:BTCUSDT"])


def test_a_dismissed_difference_does_not_count(alice: User, account: ExchangeAccount) -> None:
    compare(account, USDT="1100", BTC="1")
    with tenancy.acting_as(alice.id):
        item = ReconciliationItem.objects.get()
        reconciliation.dismiss(item_id=item.pk, reason="A gift.", at=clock.now())

    assert grade(alice) == ("complete", [])


def test_what_is_missing_of_the_history_makes_it_partial(alice: User, account: ExchangeAccount) -> None:
    compare(account, "gap:deposits", "unreadable:fills")

    assert grade(alice) == ("partial", ["gap:deposits", "unreadable:fills"])


@pytest.mark.parametrize(("coverage", "reason"), [([], "not_compared"), (["reading"], "reading")])
def test_what_was_not_compared_is_partial(
    alice: User, account: ExchangeAccount, coverage: list[str], reason: str
) -> None:
    with tenancy.acting_as(alice.id):
        marks.reconciled(account=account, at=None, coverage=coverage)

    assert grade(alice) == ("partial", [reason])


def test_sales_of_unknown_cost_make_it_partial(alice: User, account: ExchangeAccount) -> None:
    with tenancy.acting_as(alice.id):
        of_account = PerformanceMetric.objects.filter(account=account, period_type="ALL_TIME", strategy="")
        assert of_account.update(cost_unknown_trades=2) == 1

    assert grade(alice) == ("partial", ["cost_unknown:2"])


def test_what_has_no_price_makes_it_partial(alice: User, account: ExchangeAccount) -> None:
    with tenancy.acting_as(alice.id):
        PortfolioSnapshot.objects.update(grade="partial", grade_reason="no_report, unpriced:XYZ")
    metrics.refresh(user_id=alice.id, at=clock.now())

    assert grade(alice) == ("partial", ["unpriced:XYZ"])


@pytest.mark.parametrize(
    ("blocked", "reason"), [("No price of BTC.", "waiting:BTC"), ("", "recomputing")], ids=["blocked", "due"]
)
def test_books_that_are_not_folded_make_it_partial(
    alice: User, account: ExchangeAccount, blocked: str, reason: str
) -> None:
    with tenancy.acting_as(alice.id):
        Book.objects.filter(asset="BTC").update(blocked_reason=blocked, stale_from=clock.now())

    assert grade(alice) == ("partial", [reason])


def test_a_period_is_graded_by_what_bears_on_it(alice: User, account: ExchangeAccount) -> None:
    today = clock.utc_day(clock.now())
    compare(account, f"older_history:fills@{today - timedelta(days=40)}", "refused:rebates")
    with tenancy.acting_as(alice.id):
        ReconciliationItem.objects.create(
            user=alice, account=account, kind="residual", subject=f"{today - timedelta(days=35)}", value=1,
            reported=1, computed=0, difference=1, reported_at=clock.now(), opened_at=clock.now(),
            changed_at=clock.now(), evidence=[],
        )  # fmt: skip
        of_account = PerformanceMetric.objects.filter(account=account, period_type="ALL_TIME", strategy="")
        assert of_account.update(cost_unknown_trades=2) == 1
        found = {
            text: selectors.confidence(
                scope=resolve(), at=clock.now(), period=parse_period(text, at=clock.now())
            )
            for text in ("30d", "90d")
        }
    day = today - timedelta(days=35)

    assert grade(alice)[1] == [
        "older_history:fills",
        "refused:rebates",
        f"difference:residual:{day}",
        "cost_unknown:2",
    ]
    assert {text: [str(reason) for reason in told.reasons] for text, told in found.items()} == {
        "30d": ["refused:rebates"],
        "90d": ["older_history:fills", "refused:rebates", f"difference:residual:{day}"],
    }


def test_a_gap_before_a_period_does_not_bear_on_what_began_after_a_later_report(
    alice: User, account: ExchangeAccount
) -> None:
    """A coin was bought five days ago and is held since: only of seven days nothing goes back to before the gap."""
    today = clock.utc_day(clock.now())
    gap = f"gap:fills@{today - timedelta(days=20)}/{today - timedelta(days=15)}"
    compare(account, gap)
    with tenancy.acting_as(alice.id):
        mark = AccountMark.objects.get()

    def doubts() -> dict[str, list[str]]:
        with tenancy.acting_as(alice.id):
            told = {
                text: selectors.confidence(
                    scope=resolve(), at=clock.now(), period=parse_period(text, at=clock.now())
                )
                for text in ("2d", "7d", "18d", "30d")
            }
        return {text: [str(reason) for reason in one.reasons] for text, one in told.items()}

    before = doubts()
    api_books.report(account, {"USDT": "0"}, at=api_books.day(10))

    assert mark.coverage == [gap]
    assert before == {text: ["gap:fills"] for text in before}
    assert doubts() == before | {"7d": []}


def test_answers_of_a_period_carry_its_grade(account: ExchangeAccount, as_alice: JsonClient) -> None:
    compare(account, f"older_history:fills@{clock.utc_day(clock.now()) - timedelta(days=40)}")
    grades = [
        as_alice.get(f"/api/trades/history{query}").headers["X-Data-Grade"]
        for query in ("", "?period=60d", "?period=all_time")
    ]
    assert grades == ["complete", "partial", "partial"]


def test_metrics_that_do_not_know_of_a_trade_yet_make_it_partial(
    alice: User, account: ExchangeAccount
) -> None:
    with tenancy.acting_as(alice.id):
        assert Trade.objects.filter(account=account).update(strategy="swing")
    assert grade(alice) == ("partial", ["recomputing"])

    metrics.refresh(user_id=alice.id, at=clock.now())

    assert grade(alice) == ("complete", [])


def test_what_is_old_is_partial(alice: User, account: ExchangeAccount) -> None:
    assert grade(alice, at_hours=2) == ("partial", ["stale"])


def test_an_account_that_was_never_read_makes_it_unreliable(alice: User, account: ExchangeAccount) -> None:
    api_books.open_account(alice, "New")

    assert grade(alice) == ("unreliable", ["not_read"])


def test_of_many_reasons_the_first_are_told_and_how_many_more(alice: User, account: ExchangeAccount) -> None:
    with tenancy.acting_as(alice.id):
        AccountMark.objects.update(coverage=[f"refused:{number:02}" for number in range(25)])

    _, reasons = grade(alice)

    assert (len(reasons), reasons[0], reasons[-1]) == (20, "refused:00", "more:6")


TOTALS = (
    *("/api/positions/open", "/api/trades/history", "/api/portfolio/snapshot", "/api/portfolio/equity-curve"),
    *("/api/performance/metrics", "/api/performance/strategies", "/api/balances", "/api/fees/summary"),
)
LISTS = ("/api/trades/pairs", "/api/fees", "/api/brackets")


def headers(answer: Any) -> tuple[str, str]:
    return answer.headers["X-Data-Grade"], answer.headers["X-Data-Grade-Reasons"]


def test_every_total_of_the_api_carries_its_grade(as_alice: JsonClient, account: ExchangeAccount) -> None:
    before = {path: as_alice.get(path) for path in (*TOTALS, *LISTS)}
    compare(account, "gap:deposits", USDT="948", BTC="1")
    after = {
        path: as_alice.get(path, headers={"If-None-Match": before[path].headers["ETag"]}) for path in before
    }

    assert {path: headers(one) for path, one in before.items()} == dict.fromkeys(before, ("complete", ""))
    told = ("partial", "gap:deposits,difference:balance:USDT")
    assert {path: headers(one) for path, one in after.items()} == dict.fromkeys(before, told)
    bodies = {path: after[path].json().get("confidence") for path in before}
    reasons = [{"code": "gap", "about": "deposits"}, {"code": "difference", "about": "balance:USDT"}]
    in_body = {"grade": "partial", "reasons": reasons}
    assert bodies == {path: in_body if path in TOTALS else None for path in before}
