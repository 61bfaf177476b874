"""Sealed keys: opened only in their place, by workers, into something that cannot get away."""

import copy
import dataclasses
import json
import logging
import pickle
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from accounts.models import AuditLog
from core.django import actors, tenancy
from core.django.actors import Actor, ActorKind
from core.django.rendering import dumps
from core.vault import VaultError
from credentials import accounts, vault
from credentials.models import ApiCredential, ExchangeAccount
from credentials.vault import Purpose, open_keys
from exchanges.base import ApiKeys
from tests.factories import UserFactory

pytestmark = pytest.mark.usefixtures("as_worker")
CANARY = "canary-Secret-0123456789"
KEYS = ApiKeys(f"key-{CANARY}", f"secret-{CANARY}", f"passphrase-{CANARY}")
ROOT = Path(__file__).parents[2]


def _connected(user_id: UUID) -> ExchangeAccount:
    return accounts.connect(
        user_id=user_id,
        exchange="binance",
        api_key=KEYS.key,
        secret_key=KEYS.secret,
        passphrase=KEYS.passphrase,
    )


def _opened(account: ExchangeAccount) -> tuple[str, str, str]:
    with open_keys(user_id=account.user_id, account_id=account.id, purpose=Purpose.SYNC) as (keys, _):
        return keys.key, keys.secret, keys.passphrase


@pytest.mark.django_db
def test_what_was_connected_opens() -> None:
    assert _opened(_connected(UserFactory.create().id)) == (KEYS.key, KEYS.secret, KEYS.passphrase)


@pytest.mark.django_db
def test_opening_is_logged_with_its_purpose_and_without_the_key(caplog: pytest.LogCaptureFixture) -> None:
    account = _connected(UserFactory.create().id)
    caplog.set_level(logging.DEBUG)

    _opened(account)

    assert [r.getMessage() for r in caplog.records if r.name == "credentials.vault"] == [
        f"Keys of account {account.id} opened for: sync"
    ]
    assert CANARY not in caplog.text


@pytest.mark.django_db
def test_a_foreign_account_has_no_keys() -> None:
    account = _connected(UserFactory.create().id)

    with (
        pytest.raises(vault.NoKeys),
        open_keys(user_id=UserFactory.create().id, account_id=account.id, purpose=Purpose.SYNC),
    ):
        pass


@pytest.mark.django_db
def test_an_unknown_account_has_no_keys() -> None:
    with (
        pytest.raises(vault.NoKeys),
        open_keys(user_id=UserFactory.create().id, account_id=uuid4(), purpose=Purpose.SYNC),
    ):
        pass


@pytest.mark.django_db
def test_values_swapped_between_fields_do_not_open() -> None:
    account = _connected(UserFactory.create().id)
    with tenancy.acting_as(account.user_id):
        row = ApiCredential.objects.get()
        ApiCredential.objects.update(api_key=row.secret_key, secret_key=row.api_key)

    with pytest.raises(VaultError):
        _opened(account)


@pytest.mark.django_db
@pytest.mark.parametrize("field", vault.FIELDS)
@pytest.mark.parametrize("same_user", [True, False])
def test_values_swapped_between_rows_and_users_do_not_open(field: str, same_user: bool) -> None:
    user = UserFactory.create()
    mine = _connected(user.id)
    other = _connected(user.id if same_user else UserFactory.create().id)
    with tenancy.acting_as(other.user_id):
        foreign = getattr(ApiCredential.objects.get(account_id=other.id), field)
    with tenancy.acting_as(mine.user_id):
        ApiCredential.objects.filter(account_id=mine.id).update(**{field: foreign})

    with pytest.raises(VaultError):
        _opened(mine)


@pytest.mark.django_db
def test_an_emptied_passphrase_does_not_open() -> None:
    account = _connected(UserFactory.create().id)
    with tenancy.acting_as(account.user_id):
        ApiCredential.objects.update(passphrase="")

    with pytest.raises(VaultError):
        _opened(account)


def test_a_short_key_gives_no_hint() -> None:
    credential = ApiCredential(user_id=uuid4(), account_id=uuid4())
    vault.seal(credential, api_key="123456789012345")
    short = credential.api_key_hint
    vault.seal(credential, api_key="1234567890123456")

    assert (short, credential.api_key_hint) == ("", "3456")


def test_keys_are_not_shown() -> None:
    shown = [repr(KEYS), str(KEYS), f"{KEYS}", f"{KEYS!r}", "%s" % KEYS, repr([KEYS]), repr({"k": KEYS})]  # noqa: UP031

    assert [text for text in shown if CANARY in text] == []


@pytest.mark.parametrize(
    "write",
    [
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        json.dumps,
        dumps,
        msgspec.json.encode,
        msgspec.to_builtins,
        dataclasses.asdict,
        vars,
        dict,
        list,
    ],
    ids=lambda write: f"{write.__module__}.{write.__name__}",
)
def test_keys_are_not_written(write: object) -> None:
    with pytest.raises(TypeError) as caught:
        write(KEYS)  # type: ignore[operator]

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_keys_are_not_pickled_by_any_protocol(protocol: int) -> None:
    with pytest.raises(TypeError, match="not serialised"):
        pickle.dumps(KEYS, protocol)


def test_keys_are_not_compared_by_value() -> None:
    assert ApiKeys("key", "secret") != ApiKeys("key", "secret")


def test_only_the_pipeline_opens_keys() -> None:
    rooms = (
        "accounts",
        "config",
        "core",
        "credentials",
        "marketdata",
        "orders",
        "pipeline",
        "portfolio",
        "web",
    )
    opening = {
        path.relative_to(ROOT).parts[0]
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if path != ROOT / "credentials" / "vault.py"
        if "open_keys" in path.read_text() or "VAULT.open" in path.read_text()
    }

    assert opening == {"pipeline"}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [kind for kind in ActorKind if kind not in ("worker", "command")])
def test_only_workers_and_commands_open_keys(kind: ActorKind) -> None:
    account = _connected(UserFactory.create().id)

    with actors.acting(Actor(kind=kind)), pytest.raises(vault.WrongProcess):
        _opened(account)


@pytest.mark.django_db
def test_every_opening_leaves_one_entry_in_the_audit_trail() -> None:
    account = _connected(UserFactory.create().id)
    with tenancy.acting_as(account.user_id):
        credential = ApiCredential.objects.get()

    _opened(account)

    with tenancy.acting_as(account.user_id):
        entries = AuditLog.objects.filter(action="decrypt")
        assert [(e.actor_kind, e.table_name, e.record_id, e.new_values) for e in entries] == [
            (
                "worker",
                "credentials_apicredential",
                str(credential.id),
                {"account": str(account.id), "purpose": "sync"},
            )
        ]


@pytest.mark.django_db
def test_what_does_not_open_is_in_the_audit_trail_too() -> None:
    account = _connected(UserFactory.create().id)
    with tenancy.acting_as(account.user_id):
        ApiCredential.objects.update(secret_key="")

    with pytest.raises(VaultError):
        _opened(account)

    with tenancy.acting_as(account.user_id):
        assert AuditLog.objects.filter(action="decrypt").count() == 1


@pytest.mark.django_db
def test_keys_are_wiped_when_nobody_needs_them_any_more() -> None:
    account = _connected(UserFactory.create().id)
    with open_keys(user_id=account.user_id, account_id=account.id, purpose=Purpose.SYNC) as (keys, _):
        assert keys.key

    assert (keys.key, keys.secret, keys.passphrase) == ("", "", "")
