"""What the exchange says of a key decides what becomes of it; history is never doubled."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from core.django import tenancy
from credentials import accounts
from credentials.models import ApiCredential, ExchangeAccount
from credentials.vault import Purpose, open_keys
from exchanges.rows import AccountInfo
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_worker")]
GOOD = AccountInfo(
    uid="uid-1",
    can_read=True,
    can_trade=True,
    can_withdraw=False,
    ip_restricted=True,
    maker_commission=Decimal("0.001"),
    taker_commission=Decimal("0.002"),
    permissions=("SPOT",),
)


def _connect(user_id: object, key: str = "k" * 64) -> ExchangeAccount:
    return accounts.connect(user_id=user_id, exchange="binance", api_key=key, secret_key="s" * 64)  # type: ignore[arg-type]


def _check(account: ExchangeAccount, info: AccountInfo, now: datetime) -> ExchangeAccount:
    with tenancy.acting_as(account.user_id):
        return accounts.note_key_check(account=account, info=info, at=now)


def _fail(account: ExchangeAccount, now: datetime) -> tuple[str, str]:
    with tenancy.acting_as(account.user_id):
        accounts.note_auth_failure(account=account, detail="Invalid API-key.", at=now)
        stored = ExchangeAccount.objects.get(id=account.id)
    return stored.key_state, stored.key_note


def _key_of(account: ExchangeAccount) -> str:
    opened = open_keys(user_id=account.user_id, account_id=account.id, purpose=Purpose.KEY_CHECK)
    with opened as (keys, _):
        return keys.key


def test_where_an_exchange_does_not_tell_of_withdrawing_the_user_is_asked_to_look(now: datetime) -> None:
    account = _connect(UserFactory.create().id)

    checked = _check(account, replace(GOOD, untold=("can_withdraw",)), now)

    assert checked.key_state == "good"
    assert checked.key_note.startswith("This exchange does not tell whether a key may withdraw")


def test_a_good_key_is_written_down(now: datetime) -> None:
    account = _check(_connect(UserFactory.create().id), GOOD, now)

    with tenancy.acting_as(account.user_id):
        stored = ExchangeAccount.objects.get()
    assert (stored.key_state, stored.key_note, stored.exchange_uid) == ("good", "", "uid-1")
    assert (stored.can_trade, stored.ip_restricted, stored.checked_at) == (True, True, now)
    assert (stored.maker_commission, stored.taker_commission) == (Decimal("0.001"), Decimal("0.002"))
    assert stored.permissions == ["SPOT"]


def test_a_key_that_works_from_anywhere_is_good_with_a_warning(now: datetime) -> None:
    account = _check(_connect(UserFactory.create().id), replace(GOOD, ip_restricted=False), now)

    assert account.key_state == "good"
    assert "from any address" in account.key_note


def test_a_key_that_may_withdraw_is_refused_and_destroyed(now: datetime) -> None:
    account = _check(_connect(UserFactory.create().id), replace(GOOD, can_withdraw=True), now)

    assert account.key_state == "disabled"
    assert "without withdrawal rights" in account.key_note
    with tenancy.acting_as(account.user_id):
        assert ApiCredential.objects.count() == 0


def test_a_key_that_may_not_read_is_refused(now: datetime) -> None:
    account = _check(_connect(UserFactory.create().id), replace(GOOD, can_read=False), now)

    assert account.key_state == "disabled"
    assert "Allow reading" in account.key_note


def test_the_key_of_another_account_never_joins_the_history_of_this_one(now: datetime) -> None:
    account = _check(_connect(UserFactory.create().id), GOOD, now)

    again = _check(account, replace(GOOD, uid="uid-2"), now)

    assert (again.id, again.key_state, again.exchange_uid) == (account.id, "disabled", "uid-1")
    assert "another account" in again.key_note


def test_a_closed_account_that_comes_back_goes_on_as_itself(now: datetime) -> None:
    user = UserFactory.create()
    first = _check(_connect(user.id), GOOD, now)
    accounts.close(user_id=user.id, account_id=first.id)
    newcomer = _connect(user.id, key="n" * 64)

    reopened = _check(newcomer, GOOD, now)

    assert (reopened.id, reopened.is_active, reopened.label, reopened.key_state) == (
        first.id, True, newcomer.label, "good",
    )  # fmt: skip
    assert _key_of(reopened) == "n" * 64
    assert [one.account.id for one in accounts.list_for(user_id=user.id)] == [first.id]


def test_an_account_connected_twice_is_refused_the_second_time(now: datetime) -> None:
    user = UserFactory.create()
    first = _check(_connect(user.id), GOOD, now)

    second = _check(_connect(user.id), GOOD, now)

    assert (second.key_state, second.exchange_uid) == ("disabled", "")
    assert "connected already, as “Binance”" in second.key_note
    assert _key_of(first) == "k" * 64


def test_a_new_key_takes_over_the_living_account_whose_own_was_disabled(now: datetime) -> None:
    user = UserFactory.create()
    first = _check(_connect(user.id), GOOD, now)
    _fail(first, now), _fail(first, now)

    taken = _check(_connect(user.id, key="n" * 64), GOOD, now)

    assert (taken.id, taken.key_state, _key_of(taken)) == (first.id, "good", "n" * 64)
    assert _only(user.id) == [first.id]


def _only(user_id: object) -> list[object]:
    return [one.account.id for one in accounts.list_for(user_id=user_id)]  # type: ignore[arg-type]


def test_the_same_account_of_two_users_is_two_accounts(now: datetime) -> None:
    first = _check(_connect(UserFactory.create().id), GOOD, now)
    second = _check(_connect(UserFactory.create().id), GOOD, now)

    assert (first.key_state, second.key_state, first.id == second.id) == ("good", "good", False)


def test_a_demo_account_is_not_the_live_one(now: datetime) -> None:
    user = UserFactory.create()
    _check(_connect(user.id), GOOD, now)
    demo = accounts.connect(
        user_id=user.id, exchange="binance", api_key="d" * 64, secret_key="s", mode="demo"
    )

    assert _check(demo, GOOD, now).key_state == "good"


def test_the_first_refusal_is_a_warning_and_the_second_disables(now: datetime) -> None:
    account = _connect(UserFactory.create().id)

    first, second = _fail(account, now), _fail(account, now)

    assert first == (
        "failing", "The exchange refused the key (Invalid API-key.). It is asked once more before the key is disabled.",
    )  # fmt: skip
    assert second[0] == "disabled"
    assert "save the key again" in second[1]


def test_only_refusals_in_a_row_disable(now: datetime) -> None:
    account = _connect(UserFactory.create().id)
    _fail(account, now)
    with tenancy.acting_as(account.user_id):
        accounts.note_auth_success(account=account)

    assert _fail(account, now)[0] == "failing"


def test_a_success_does_not_revive_a_disabled_key(now: datetime) -> None:
    account = _connect(UserFactory.create().id)
    _fail(account, now), _fail(account, now)
    with tenancy.acting_as(account.user_id):
        accounts.note_auth_success(account=account)

    assert accounts.show(user_id=account.user_id, account_id=account.id).account.key_state == "disabled"


def test_a_long_refusal_still_says_what_to_do(now: datetime) -> None:
    account = _connect(UserFactory.create().id)
    with tenancy.acting_as(account.user_id):
        for _ in range(2):
            judged = accounts.note_auth_failure(account=account, detail="x" * 1000, at=now)

    assert judged.key_note.endswith("save the key again.")


@pytest.mark.parametrize("untold", ["futures", "derivatives"])
def test_a_key_that_may_not_see_contracts_is_good_with_a_word_of_it(now: datetime, untold: str) -> None:
    account = _check(_connect(UserFactory.create().id), replace(GOOD, untold=(untold,)), now)

    assert account.key_state == "good"
    assert account.key_note.startswith("This key may not see contracts")
