"""The life of an exchange account: connected, changed, closed; only its owner sees it."""

from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, transaction
from django.db.utils import IntegrityError

from core.django import tenancy
from core.errors import Invalid, NotFound
from credentials import accounts
from credentials.models import ApiCredential, ExchangeAccount
from credentials.vault import Purpose, open_keys
from tests.factories import AccountFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_worker")]
KEY, SECRET = "k" * 60 + "1234", "s" * 64
MASK = "****1234"


def _connect(user_id: UUID, **changes: str) -> ExchangeAccount:
    given = {"exchange": "binance", "api_key": KEY, "secret_key": SECRET, "passphrase": "p", **changes}
    return accounts.connect(user_id=user_id, **given)


def _stored(account: ExchangeAccount) -> tuple[str, str, str]:
    with open_keys(user_id=account.user_id, account_id=account.id, purpose=Purpose.SYNC) as (keys, _):
        return keys.key, keys.secret, keys.passphrase


def _labels(user_id: UUID) -> list[str]:
    return [one.account.label for one in accounts.list_for(user_id=user_id)]


def test_accounts_without_a_label_are_called_after_the_exchange_and_numbered() -> None:
    user = UserFactory.create()
    _connect(user.id), _connect(user.id), _connect(user.id, label="Mine"), _connect(user.id)

    assert _labels(user.id) == ["Binance", "Binance 2", "Mine", "Binance 3"]


@pytest.mark.usefixtures("only_binance")
@pytest.mark.parametrize("exchange", ["bitget", "nowhere"])
def test_an_exchange_without_an_adapter_is_refused_with_those_that_have_one(exchange: str) -> None:
    with pytest.raises(Invalid, match="supported now: binance") as caught:
        _connect(UserFactory.create().id, exchange=exchange)

    assert caught.value.details["errors"][0]["pointer"] == "/exchange"


@pytest.mark.parametrize(("passphrase", "is_whole"), [("", False), ("mine", True)])
def test_a_passphrase_is_part_of_a_key_where_the_exchange_asks_for_one(
    passphrase: str, is_whole: bool
) -> None:
    user = UserFactory.create()
    if is_whole:
        assert _stored(_connect(user.id, exchange="bitget", passphrase=passphrase)) == (KEY, SECRET, "mine")
        return
    with pytest.raises(Invalid, match="Bitget has a passphrase") as caught:
        _connect(user.id, exchange="bitget", passphrase=passphrase)
    assert caught.value.details["errors"][0]["pointer"] == "/passphrase"
    assert _labels(user.id) == []


def test_a_mask_is_no_key() -> None:
    with pytest.raises(Invalid, match="mask"):
        _connect(UserFactory.create().id, api_key=MASK)


def test_a_label_is_used_once_among_the_living() -> None:
    user = UserFactory.create()
    first = _connect(user.id, label="Mine")
    _connect(UserFactory.create().id, label="Mine")

    with pytest.raises(accounts.LabelTaken):
        _connect(user.id, label="Mine")
    accounts.close(user_id=user.id, account_id=first.id)

    assert _connect(user.id, label="Mine").label == "Mine"


def test_the_mask_and_empty_secrets_keep_what_is_stored() -> None:
    account = _connect(UserFactory.create().id)

    changed = accounts.update(user_id=account.user_id, account_id=account.id, api_key=MASK, label="New name")

    assert changed is False
    assert _stored(account) == (KEY, SECRET, "p")
    assert _labels(account.user_id) == ["New name"]


def test_a_new_key_replaces_the_old_one_as_a_whole() -> None:
    account = _connect(UserFactory.create().id)

    changed = accounts.update(
        user_id=account.user_id, account_id=account.id, api_key="n" * 60 + "9999", secret_key="t" * 64
    )

    assert changed is True
    assert _stored(account) == ("n" * 60 + "9999", "t" * 64, "")
    assert accounts.show(user_id=account.user_id, account_id=account.id).masked_key == "****9999"


def test_a_mistyped_secret_is_mended_beside_the_stored_key() -> None:
    account = _connect(UserFactory.create().id)

    assert accounts.update(user_id=account.user_id, account_id=account.id, api_key=MASK, secret_key="t" * 64)

    assert _stored(account) == (KEY, "t" * 64, "p")


@pytest.mark.parametrize("key", [{"api_key": "n" * 64}, {"api_key": "****0000", "secret_key": SECRET}])
def test_half_a_key_and_a_wrong_mask_change_nothing(key: dict[str, str]) -> None:
    account = _connect(UserFactory.create().id)

    with pytest.raises(Invalid):
        accounts.update(user_id=account.user_id, account_id=account.id, label="Other", **key)

    assert _stored(account) == (KEY, SECRET, "p")
    assert _labels(account.user_id) == ["Binance"]


def test_a_changed_key_is_unchecked_again() -> None:
    account = _connect(UserFactory.create().id)
    with tenancy.acting_as(account.user_id):
        ExchangeAccount.objects.update(key_state="disabled", key_note="Refused.", can_trade=True)

    accounts.update(user_id=account.user_id, account_id=account.id, api_key="n" * 64, secret_key=SECRET)

    shown = accounts.show(user_id=account.user_id, account_id=account.id).account
    assert (shown.key_state, shown.key_note, shown.can_trade) == ("unchecked", "", None)


def test_closing_destroys_the_ciphertext_and_keeps_the_account() -> None:
    account = _connect(UserFactory.create().id)

    accounts.close(user_id=account.user_id, account_id=account.id)

    with tenancy.acting_as(account.user_id):
        assert ApiCredential.objects.count() == 0
        assert ExchangeAccount.objects.get().is_active is False
    assert accounts.list_for(user_id=account.user_id) == []
    assert accounts.configured_exchanges(user_id=account.user_id) == []


@pytest.mark.parametrize("whose", ["foreign", "closed", "missing"])
def test_what_is_not_ones_own_living_account_is_not_found(whose: str) -> None:
    user = UserFactory.create()
    account_id = {
        "foreign": lambda: AccountFactory.create().id,
        "closed": lambda: AccountFactory.create(user=user, is_active=False).id,
        "missing": uuid4,
    }[whose]()

    for call in (accounts.show, accounts.update, accounts.close):
        with pytest.raises(NotFound):
            call(user_id=user.id, account_id=account_id)


def test_the_database_hides_foreign_accounts_and_keys_from_unscoped_queries() -> None:
    mine, other = _connect(UserFactory.create().id), _connect(UserFactory.create().id)

    with tenancy.acting_as(mine.user_id):
        assert [row.id for row in ExchangeAccount.unscoped.all()] == [mine.id]
        assert [row.account_id for row in ApiCredential.unscoped.all()] == [mine.id]
        assert ApiCredential.unscoped.filter(account_id=other.id).update(api_key="x") == 0
        assert ExchangeAccount.unscoped.filter(id=other.id).delete()[0] == 0


@pytest.mark.parametrize("model", [ExchangeAccount, ApiCredential])
def test_without_a_door_the_database_shows_no_account_and_no_key(model: type[tenancy.OwnedModel]) -> None:
    _connect(UserFactory.create().id)

    assert model.unscoped.count() == 0


def test_the_database_refuses_a_key_for_somebody_else() -> None:
    mine, other = _connect(UserFactory.create().id), _connect(UserFactory.create().id)

    with tenancy.acting_as(mine.user_id):
        for stolen in ({"user_id": other.user_id}, {"account_id": other.id}):
            with pytest.raises(DatabaseError), transaction.atomic():
                ApiCredential.unscoped.update(**stolen)


def test_an_account_has_one_key() -> None:
    account = _connect(UserFactory.create().id)

    with (
        pytest.raises(IntegrityError, match="credential_one_per_account"),
        tenancy.acting_as(account.user_id),
    ):
        ApiCredential.objects.create(user_id=account.user_id, account=account, api_key="x", api_key_hint="")


def test_a_place_known_from_files_takes_no_key() -> None:
    user = UserFactory.create()
    account = accounts.open_without_key(user_id=user.id, label="KuCoin")

    with pytest.raises(Invalid, match="known from files"):
        accounts.update(user_id=user.id, account_id=account.id, api_key="k", secret_key="s")
    accounts.update(user_id=user.id, account_id=account.id, label="Old")
    assert [(one.account.label, one.masked_key) for one in accounts.list_for(user_id=user.id)] == [
        ("Old", "")
    ]


def test_a_history_without_a_key_rests_until_its_key_comes() -> None:
    user = UserFactory.create()
    opened = [
        accounts.open_without_key(user_id=user.id, label="Main", exchange="binance", exchange_uid="u1")
        for _ in range(2)
    ]
    assert [(one.is_active, one.exchange_uid) for one in opened] == [(False, "u1"), (False, "")]

    with pytest.raises(Invalid, match="no exchange that can be imported"):
        accounts.open_without_key(user_id=user.id, label="Macro", exchange="fred")
    accounts.open_without_key(user_id=user.id, label="Old")
    with pytest.raises(accounts.LabelTaken):
        accounts.open_without_key(user_id=user.id, label="Old")
