"""Differences between reports and facts: when they open, what they say, when they go."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from core.django import tenancy
from core.errors import Conflict, NotFound
from credentials.models import ExchangeAccount
from orders.models import Fill, Transfer
from portfolio import marks, reconciliation
from portfolio.accounting.causes import Hole
from portfolio.models import ReconciliationItem
from portfolio.reconciliation import Known, Outcome
from tests.factories import AccountFactory
from tests.portfolio import contracts
from tests.portfolio.books import fill, fold, transfer
from tests.portfolio.days import closes, moment, refresh, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    """1000 USDT came in; 1 BTC was bought for 100 of it on the first day."""
    stored: ExchangeAccount = AccountFactory.create()
    paid_in = transfer(stored, occurred_at=moment(0, 8))
    fold(stored, paid_in, fill(stored, "BUY", "1", "100", executed_at=moment(0, 9)))
    were_there(stored)
    return stored


def were_there(account: ExchangeAccount) -> None:
    """The facts so far were stored before anything was found."""
    with tenancy.acting_as(account.user_id):
        Fill.objects.update(created_at=moment(0))
        Transfer.objects.update(updated_at=moment(0))


def reconcile(account: ExchangeAccount, at: datetime, **known: Any) -> Outcome:
    return reconciliation.reconcile(
        user_id=account.user_id, account_id=account.id, known=Known(**known), at=at
    )


def items(account: ExchangeAccount, *columns: str) -> list[Any]:
    with tenancy.acting_as(account.user_id):
        rows = ReconciliationItem.objects.filter(account=account).order_by("kind", "subject", "id")
        return list(rows.values_list(*columns, flat=len(columns) == 1))


def differ(account: ExchangeAccount, extra: str, day: int = 1) -> Outcome:
    """A report of so much USDT more than facts give, and its reconciliation."""
    report(account, moment(day), USDT=str(900 + Decimal(extra)), BTC="1")
    return reconcile(account, moment(day, 10, 5))


def test_what_agrees_opens_nothing(account: ExchangeAccount) -> None:
    assert differ(account, "0") == Outcome()
    assert items(account, "id") == []


def test_a_difference_opens_an_item(account: ExchangeAccount) -> None:
    assert differ(account, "50") == Outcome(opened=1, left_open=1)
    assert items(
        account,
        "kind",
        "subject",
        "reported",
        "computed",
        "difference",
        "value",
        "cause",
        "state",
        "diverged_to",
    ) == [("balance", "USDT", 950, 900, 50, 50, "missing_deposit", "open", moment(1))]


def test_it_opens_once(account: ExchangeAccount) -> None:
    differ(account, "50")

    assert reconcile(account, moment(1, 11)) == Outcome(left_open=1)
    assert differ(account, "50", day=2) == Outcome(left_open=1)
    assert items(account, "opened_at", "reported_at") == [(moment(1, 10, 5), moment(2))]


def test_less_than_a_step_is_no_difference(account: ExchangeAccount) -> None:
    report(account, moment(1), USDT="900.009", BTC="1.00000001")

    assert reconcile(account, moment(1, 10, 5)) == Outcome()


def test_an_asset_that_no_fact_tells_of_differs(account: ExchangeAccount) -> None:
    report(account, moment(1), USDT="900", BTC="1", XYZ="7")
    reconcile(account, moment(1, 10, 5))

    assert items(account, "subject", "difference", "value", "cause") == [("XYZ", 7, None, "missing_deposit")]


def test_what_is_reported_no_more_differs(account: ExchangeAccount) -> None:
    report(account, moment(1), USDT="900")
    reconcile(account, moment(1, 10, 5))

    assert items(account, "subject", "difference", "cause") == [("BTC", -1, "missing_withdrawal")]


def test_a_fact_after_the_report_is_no_difference(account: ExchangeAccount) -> None:
    report(account, moment(1), USDT="900", BTC="1")
    fold(account, fill(account, "SELL", "1", "120", executed_at=moment(1, 10, 30)))
    fold(account, fill(account, "BUY", "1", "130", executed_at=moment(2, 0, 30)))

    assert reconcile(account, moment(2, 1)) == Outcome()


def test_a_fact_around_the_report_is_in_it_or_not(account: ExchangeAccount) -> None:
    report(account, moment(1), USDT="1020")
    fold(account, fill(account, "SELL", "1", "120", executed_at=moment(1)))

    assert reconcile(account, moment(1, 10, 5)) == Outcome()


def test_while_facts_around_the_report_may_make_it_up_nothing_is_said(account: ExchangeAccount) -> None:
    report(account, moment(1), USDT="960", BTC="0.5")
    fold(account, fill(account, "SELL", "1", "120", executed_at=moment(1)))

    assert reconcile(account, moment(1, 10, 5)) == Outcome(undecided=["BTC", "USDT"])
    with tenancy.acting_as(account.user_id):
        assert marks.reconciled_at(account=account) is None

    report(account, moment(1, 10, 10), USDT="960", BTC="0.5")
    assert reconcile(account, moment(1, 10, 15)) == Outcome(opened=2, left_open=2)


def test_a_late_fact_explains_it(account: ExchangeAccount) -> None:
    differ(account, "50")
    fold(account, transfer(account, amount=Decimal(50), occurred_at=moment(1, 9)))

    assert reconcile(account, moment(1, 11)) == Outcome(explained=1)
    assert items(account, "state", "explanation", "resolved_at") == [
        ("explained", "Came in since it was found: 1 deposit of 2026-02-02 09:00.", moment(1, 11))
    ]


def test_a_later_report_explains_it(account: ExchangeAccount) -> None:
    differ(account, "-50")
    differ(account, "0", day=2)

    assert items(account, "state", "explanation") == [
        ("explained", "The exchange's report of 2026-02-03 10:00 says 900, and agrees with the facts.")
    ]


def test_what_comes_back_is_another_item(account: ExchangeAccount) -> None:
    for day, extra in enumerate(("50", "0", "50"), start=1):
        differ(account, extra, day=day)

    assert items(account, "state", "diverged_from", "diverged_to") == [
        ("explained", None, moment(1)),
        ("open", moment(2), moment(3)),
    ]


def dismiss(account: ExchangeAccount) -> int:
    [item_id] = items(account, "id")
    with tenancy.acting_as(account.user_id):
        reconciliation.dismiss(item_id=item_id, reason="A gift.", at=moment(1, 12))
    return int(item_id)


def test_a_dismissed_difference_stays_so_while_it_is_the_same(account: ExchangeAccount) -> None:
    differ(account, "50")
    dismiss(account)

    assert differ(account, "50", day=2) == Outcome()
    assert items(account, "state", "reason", "resolved_at") == [("dismissed", "A gift.", moment(1, 12))]


def test_a_dismissed_difference_that_changes_is_open_again(account: ExchangeAccount) -> None:
    differ(account, "50")
    dismiss(account)

    assert differ(account, "70", day=2) == Outcome(changed=1, left_open=1)
    assert items(account, "state", "difference", "reason", "diverged_from", "diverged_to") == [
        ("open", 70, "A gift.", moment(1), moment(2))
    ]


def test_a_dismissed_difference_that_goes_is_explained(account: ExchangeAccount) -> None:
    differ(account, "50")
    dismiss(account)

    assert differ(account, "0", day=2) == Outcome(explained=1)


def test_a_dismissal_can_be_taken_back(account: ExchangeAccount) -> None:
    differ(account, "50")
    item_id = dismiss(account)
    with tenancy.acting_as(account.user_id):
        reconciliation.reopen(item_id=item_id, at=moment(1, 13))

    assert items(account, "state", "resolved_at") == [("open", None)]


def test_only_what_is_open_is_dismissed(account: ExchangeAccount) -> None:
    differ(account, "50")
    item_id = dismiss(account)
    with tenancy.acting_as(account.user_id):
        with pytest.raises(Conflict):
            reconciliation.dismiss(item_id=item_id, reason="Again.", at=moment(1, 13))
        with pytest.raises(NotFound):
            reconciliation.reopen(item_id=0, at=moment(1, 13))


def test_a_hole_in_the_history_is_the_cause(account: ExchangeAccount) -> None:
    report(account, moment(1), USDT="950", BTC="1")
    reconcile(account, moment(1, 11), holes=[Hole("Deposits", moment(0), moment(1), "forgotten")])

    assert items(account, "cause", "evidence") == [
        (
            "missing_window",
            ["Deposits from 2026-02-01 10:00 to 2026-02-02 10:00 are not known: forgotten."],
        )
    ]


def test_a_round_trip_read_by_half_is_not_older_than_what_is_kept(account: ExchangeAccount) -> None:
    """A coin that every report knew nothing of: bought and sold between two of them, and the sale comes late."""
    closes("XYZUSDT", "50", "50", "50")
    differ(account, "0")
    fold(
        account,
        fill(account, "BUY", "1", "50", symbol="XYZUSDT", base_asset="XYZ", executed_at=moment(1, 12)),
    )
    report(account, moment(2), USDT="901", BTC="1")
    older = Hole("Fills", None, moment(0, 1), "the exchange keeps no older ones", is_older=True)
    reconcile(account, moment(2, 11), holes=[older])

    since = items(account, "subject", "cause", "diverged_from")
    assert since == [("USDT", "conversion", moment(1)), ("XYZ", "conversion", moment(1))]


def test_two_assets_against_each_other_are_a_conversion(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "100", "100")
    differ(account, "0")
    report(account, moment(2), USDT="851", BTC="1.5")
    reconcile(account, moment(2, 11))

    assert items(account, "subject", "value", "cause") == [
        ("BTC", 50, "conversion"),
        ("USDT", -49, "conversion"),
    ]


def test_the_day_of_a_difference_is_no_residual_item_beside_it(account: ExchangeAccount) -> None:
    closes("BTCUSDT", *["100"] * 4)
    differ(account, "0")
    differ(account, "50", day=2)
    refresh(account, at=moment(4))
    reconcile(account, moment(4))

    assert items(account, "kind", "subject") == [("balance", "USDT")]


def test_days_that_do_not_add_up_are_items(account: ExchangeAccount) -> None:
    closes("BTCUSDT", *["100"] * 6)
    for day, extra in enumerate(("0", "50", "0"), start=1):
        differ(account, extra, day=day)
    refresh(account, at=moment(5))

    assert reconcile(account, moment(5)) == Outcome(opened=2, left_open=2)
    assert items(account, "kind", "subject", "reported", "computed", "difference", "cause", "state")[1:] == [
        ("residual", "2026-02-03", 50, 0, 50, "unknown", "open"),
        ("residual", "2026-02-04", -50, 0, -50, "unknown", "open"),
    ]

    fold(account, transfer(account, amount=Decimal(50), occurred_at=moment(2, 9)))
    fold(account, transfer(account, kind="WITHDRAWAL", amount=Decimal(50), occurred_at=moment(3, 9)))
    refresh(account, at=moment(5))
    assert reconcile(account, moment(5, 12)) == Outcome(explained=2)


def test_a_position_that_fills_do_not_give_is_an_item(db: None) -> None:
    account = AccountFactory.create()
    contracts.fold(account, contracts.fill(account, "BUY", "1", "100"))
    were_there(account)
    contracts.report_position(account, "100", at=moment(3))
    reconcile(account, moment(3, 11), positions_heard_at=moment(3))

    found = items(account, "kind", "subject", "side", "reported", "computed", "difference", "cause")
    assert found == [("position", "BTCUSDT", "LONG", 2, 1, 1, "missing_fills")]

    contracts.fold(account, contracts.fill(account, "BUY", "1", "100", executed_at=moment(1)))
    reconcile(account, moment(3, 12), positions_heard_at=moment(3))
    assert items(account, "state", "explanation") == [
        ("explained", "Came in since it was found: 1 fill of 2026-02-02 10:00.")
    ]


def test_a_position_agreed_when_it_was_compared_last_whatever_waited_since(db: None) -> None:
    account = AccountFactory.create()
    contracts.fold(account, contracts.fill(account, "BUY", "1", "100"))
    contracts.report_position(account, "100", at=moment(2), quantity="1")
    reconcile(account, moment(2), positions_heard_at=moment(2))
    with tenancy.acting_as(account.user_id):
        marks.reconciled(account=account, at=None, coverage=["reading"])
    contracts.report_position(account, "100", at=moment(3))
    older = Hole("Fills of contracts", None, moment(0), "the exchange keeps no older ones", is_older=True)
    reconcile(account, moment(3), positions_heard_at=moment(3), holes=[older])

    assert items(account, "cause", "diverged_from") == [("missing_fills", moment(2))]


def test_a_fill_after_the_report_of_positions_is_no_difference(db: None) -> None:
    account = AccountFactory.create()
    contracts.fold(account, contracts.fill(account, "BUY", "2", "100"))
    contracts.report_position(account, "100", at=moment(3))
    contracts.fold(account, contracts.fill(account, "SELL", "3", "100", executed_at=moment(3, 12)))

    outcome = reconcile(account, moment(3, 13), positions_heard_at=moment(3))

    assert (outcome, items(account, "subject")) == (Outcome(), [])


def test_profit_that_the_exchange_does_not_tell_waits_for_the_next_report(account: ExchangeAccount) -> None:
    """The day's profit is known, and not which of it came before the report."""
    report(account, moment(1), USDT="900", BTC="1")
    opened = contracts.fill(account, "BUY", "1", "100", realized_pnl=None, executed_at=moment(1, 9))
    closed = contracts.fill(account, "SELL", "1", "130", realized_pnl=None, executed_at=moment(1, 11))
    contracts.fold(account, opened, closed)
    assert reconcile(account, moment(1, 12)) == Outcome(undecided=["USDT"])

    report(account, moment(1, 13), USDT="930", BTC="1")
    assert reconcile(account, moment(1, 14)) == Outcome()
