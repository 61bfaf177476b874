"""Which account the facts of a file go into, and what else of the user's comes with them."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import User
from core.django import tenancy
from core.errors import Invalid
from credentials.models import ExchangeAccount
from orders.models import Fill, OwnTransfer, StrategyPrefix
from portfolio import marks
from portfolio.imports import reading
from portfolio.models import AccountMark, ReconciliationItem, Valuation, WalletBalance
from tests.factories import AccountFactory, UserFactory
from tests.portfolio.books import START, fill, transfer
from tests.portfolio.exports.files import raw
from tests.security.people import undone

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def file(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[bytes]:
    """Of somebody with an account known at the exchange, one of files, and one that holds a coin and has no facts."""
    with django_db_blocker.unblock(), undone():
        user: User = UserFactory.create()
        main = AccountFactory.create(user=user, label="Main", exchange_uid="u1")
        place = AccountFactory.create(user=user, label="KuCoin", exchange="files")
        bare = AccountFactory.create(user=user, label="Bare", exchange="mexc")
        fill(main, "BUY", "1", "100", exchange_fill_id="7")
        left = transfer(main, kind="WITHDRAWAL", asset="BTC", amount=Decimal("0.4"), exchange_transfer_id="w")
        came = transfer(
            place, asset="BTC", amount=Decimal("0.4"), exchange_transfer_id="d", occurred_at=START + DAY
        )
        with tenancy.acting_as(user.id):
            OwnTransfer.objects.create(
                user=user, outgoing=left, incoming=came, state="confirmed", matched_by="hand"
            )
            WalletBalance.objects.create(
                user=user, account=bare, wallet="spot", asset="ETH", available=2, locked=0, computed=0,
                reported_at=START,
            )  # fmt: skip
            Valuation.objects.create(
                user=user, asset="BTC", currency="USDT", at=START, price=100, source="test", source_at=START
            )
            StrategyPrefix.objects.create(user=user, prefix="x-", strategy="swing")
            marks.reconciled(account=main, at=START, coverage=["gap:fills"])
            ReconciliationItem.objects.create(
                user=user, account=bare, kind="balance", subject="ETH", reported=2, computed=0, difference=2,
                reported_at=START, evidence=["It came before."], state="dismissed", reason="A gift.", opened_at=START,
                changed_at=START, resolved_at=START,
            )  # fmt: skip
        yield raw(user, "complete")


def take(user: User, content: bytes, **asked: Any) -> reading.Outcome:
    return reading.read(user=user, file=io.BytesIO(content), **asked)


def values(user: User, model: Any, *names: str) -> list[Any]:
    with tenancy.acting_as(user.id):
        return sorted(model.objects.values_list(*names), key=str)


def test_an_account_without_facts_is_the_same_the_second_time(file: bytes) -> None:
    user: User = UserFactory.create()
    take(user, file)
    assert take(user, file).stored == 0

    assert values(user, ExchangeAccount, "label") == [("Bare",), ("KuCoin",), ("Main",)]
    assert values(user, WalletBalance, "asset", "available") == [("ETH", Decimal(2))]


def test_an_account_of_the_same_exchange_uid_goes_on(file: bytes) -> None:
    """Its history is never doubled; and what it holds, the exchange itself tells."""
    user: User = UserFactory.create()
    mine = AccountFactory.create(user=user, label="Mine", exchange_uid="u1")
    fill(mine, "BUY", "1", "100", exchange_fill_id="7")
    outcome = take(user, file)

    assert "'Main' is 'Mine' at the exchange: its facts go there." in outcome.notes
    assert values(user, ExchangeAccount, "label") == [("Bare",), ("KuCoin",), ("Mine",)]
    assert values(user, Fill, "exchange_fill_id") == [("7",)]


def test_what_files_told_there_and_the_exchange_here_counts_once(file: bytes) -> None:
    rows = [json.loads(line) for line in file.splitlines()]
    bought = next(row for row in rows if row["record"] == "fill")
    left = next(row for row in rows if row.get("kind") == "WITHDRAWAL")
    bought["exchange_fill_id"] = left["exchange_transfer_id"] = "file-1"
    rows = [row for row in rows if row["record"] != "own_transfer"]
    rows[-1]["counts"]["own_transfer"] = 0
    content = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    user: User = UserFactory.create()
    mine = AccountFactory.create(user=user, label="Mine", exchange_uid="u1")
    fill(mine, "BUY", "1", "100", exchange_fill_id="8")
    transfer(mine, kind="WITHDRAWAL", asset="BTC", amount=Decimal("0.4"), exchange_transfer_id="v")

    assert "2 facts of files are left out: the exchange itself told them here." in take(user, content).notes
    assert values(user, Fill, "exchange_fill_id") == [("8",)]
    assert take(UserFactory.create(), content).stored > 2


def test_what_files_told_here_and_the_exchange_there_counts_once(file: bytes) -> None:
    user: User = UserFactory.create()
    mine = AccountFactory.create(user=user, label="Mine", exchange_uid="u1", is_active=False)
    fill(mine, "BUY", "1", "100", exchange_fill_id="file-1", raw={"lines": ["a"]})
    take(user, file)

    assert values(user, Fill, "exchange_fill_id") == [("7",)]


def test_a_place_of_files_goes_on_taking_files(file: bytes) -> None:
    user: User = UserFactory.create()
    AccountFactory.create(user=user, label="KuCoin")
    take(user, file)

    assert values(user, ExchangeAccount, "label", "exchange", "is_active") == [
        ("Bare", "mexc", False), ("KuCoin 2", "files", True), ("KuCoin", "binance", True), ("Main", "binance", False),
    ]  # fmt: skip


def test_what_the_user_said_and_what_is_not_known_comes_too(file: bytes) -> None:
    user: User = UserFactory.create()
    take(user, file)

    assert values(user, StrategyPrefix, "prefix", "strategy") == [("x-", "swing")]
    assert values(user, AccountMark, "account__label", "coverage") == [
        ("Bare", []), ("KuCoin", []), ("Main", ["gap:fills"]),
    ]  # fmt: skip
    assert values(user, ReconciliationItem, "subject", "difference", "state", "reason", "evidence") == [
        ("ETH", Decimal(2), "dismissed", "A gift.", ["It came before."])
    ]


def test_prices_that_were_used_here_stay_and_that_is_told(file: bytes) -> None:
    user: User = UserFactory.create()
    with tenancy.acting_as(user.id):
        Valuation.objects.create(
            user=user, asset="BTC", currency="USDT", at=START, price=7, source="mine", source_at=START
        )
    outcome = take(user, file)

    told = "1 prices of the file are others than those used here, which stay: worths may differ."
    assert outcome.notes == [told]
    assert values(user, Valuation, "price", "source") == [(Decimal(7), "mine")]
    assert take(UserFactory.create(), file).notes == []


def test_a_transfer_between_accounts_without_an_end_is_told(file: bytes) -> None:
    rows = [json.loads(line) for line in file.splitlines()]
    end = next(row for row in rows if row.get("exchange_transfer_id") == "d")
    end["amount"] = "much"
    outcome = take(UserFactory.create(), b"".join(json.dumps(row).encode() + b"\n" for row in rows))

    [one, other] = outcome.set_aside
    assert (one.line, "is not a number" in one.reason) == (rows.index(end) + 1, True)
    assert "An end of this transfer" in other.reason


def test_marks_and_blank_lines_of_editors_are_no_rows(file: bytes) -> None:
    content = b"\xef\xbb\xbf" + file.replace(b"\n", b"\r\n") + b"\r\n \r\n"

    assert take(UserFactory.create(), content).set_aside == []


def test_files_of_before_tell_less_and_are_read(file: bytes) -> None:
    rows = [json.loads(line) for line in file.splitlines()]
    old = [row for row in rows if row["record"] not in ("strategy_prefix", "dismissal")]
    for row in old:
        row.pop("coverage", None)
    for name in ("strategy_prefix", "dismissal"):
        old[-1]["counts"].pop(name)

    assert (
        take(UserFactory.create(), b"".join(json.dumps(row).encode() + b"\n" for row in old)).set_aside == []
    )


def test_a_file_of_bad_lines_ends(file: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ASIDE", 3)
    head, *rest = file.splitlines(keepends=True)

    with pytest.raises(Invalid, match="More than 3 lines cannot be taken over"):
        take(UserFactory.create(), head + b"?\n" * 4 + b"".join(rest))
