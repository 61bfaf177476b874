"""Keys sealed by Node's AES-256-CBC come in once, sealed anew; what cannot come in is told, never guessed."""

import base64
import csv
import json
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from django.core.management import CommandError, call_command

from accounts.models import AuditLog, User
from core.django import tenancy
from credentials import accounts
from credentials.legacy import DoesNotDecrypt, LegacyCipher, LegacyError
from credentials.models import ApiCredential, ExchangeAccount
from credentials.vault import Purpose, open_keys
from pipeline import dispatch
from tests.conftest import NOW
from tests.factories import AccountFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_worker")]
KEY, IV = "0123456789abcdef0123456789abcdef", "fedcba9876543210"
CIPHER = LegacyCipher.parse(key=KEY, iv=IV)
API_KEY, SECRET, PASSPHRASE = (
    "legacy-api-key-0123456789",
    "legacy-secret-key-0123456789abcdef0123456789abcdef",
    "pass phrase",
)
# What Node 20's `createCipheriv('aes-256-cbc', KEY, IV)` makes of them.
SEALED_KEY = "1a16a27f143093ff26cbeb605e2818877ab661e9060ff09f47b252312971a319"
SEALED_SECRET = "hVOZYyVApu4f3CMOkEXLSOkcZsSFeCsr4gCwHkawEC+hdLuxMlsOACxAmMUEO+yYe2heCi3/uW6Hrnny4dxa7A=="
SEALED_PASSPHRASE = "65eddbd409eafdcea4f1b7299e0e6562"
SEALED_EMPTY = "04989748156efd600d9acee2267dccc3"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIAL_ENCRYPTION_KEY", KEY)
    monkeypatch.setenv("CREDENTIAL_IV_KEY", IV)


def _row(user: User | str, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "user_id": user if isinstance(user, str) else str(user.id),
        "exchange": "binance",
        "api_key": SEALED_KEY,
        "secret_key": SEALED_SECRET,
        "passphrase": None,
        "is_active": True,
        "label": "Main Binance Account",
        **changes,
    }


def _import(path: Path, *rows: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The printed document; rows that are set aside end the command with an error, which is passed over here."""
    file = path / "export.json"
    file.write_text(json.dumps(rows))
    out = StringIO()
    with suppress(CommandError):
        call_command("import_legacy_credentials", file=file, json=True, stdout=out, **options)
    outcome: dict[str, Any] = json.loads(out.getvalue())
    return outcome


def _opened(account_id: Any, user: User) -> tuple[str, str, str]:
    with open_keys(user_id=user.id, account_id=account_id, purpose=Purpose.SYNC) as (keys, _):
        return keys.key, keys.secret, keys.passphrase


def _accounts(user: User) -> list[ExchangeAccount]:
    with tenancy.acting_as(user.id):
        return list(ExchangeAccount.objects.order_by("label"))


def _reasons(outcome: dict[str, Any]) -> list[tuple[int, str]]:
    return [(each["row"], each["reason"]) for each in outcome["set_aside"]]


def test_a_row_becomes_an_account_with_its_id_and_its_key(tmp_path: Path) -> None:
    user = UserFactory.create()
    row = _row(user, passphrase=SEALED_PASSPHRASE)

    outcome = _import(tmp_path, row)

    assert outcome == {
        "rows": 1, "imported": 1, "waiting": 0, "closed": 0, "known": 0, "set_aside": [], "dry_run": False,
    }  # fmt: skip
    [account] = _accounts(user)
    assert (str(account.id), account.exchange, account.label, account.is_active, account.key_state) == (
        row["id"], "binance", "Main Binance Account", True, "unchecked",
    )  # fmt: skip
    assert _opened(account.id, user) == (API_KEY, SECRET, PASSPHRASE)
    with tenancy.acting_as(user.id):
        assert ApiCredential.objects.get().api_key.startswith("cv1:")


def test_a_second_run_imports_nothing_twice(tmp_path: Path) -> None:
    user = UserFactory.create()
    rows = [_row(user), _row(user, id="17", label="By number")]
    _import(tmp_path, *rows)
    accounts.update(
        user_id=user.id,
        account_id=_accounts(user)[0].id,
        api_key="n" * 64,
        secret_key="t" * 64,
        label="Renamed",
    )
    accounts.close(user_id=user.id, account_id=_accounts(user)[0].id)
    before = [(a.id, a.label, a.is_active) for a in _accounts(user)]

    outcome = _import(tmp_path, *rows)

    assert (outcome["imported"], outcome["known"]) == (0, 2)
    assert [(a.id, a.label, a.is_active) for a in _accounts(user)] == before


def test_a_dry_run_stores_nothing_and_tells_the_same(tmp_path: Path) -> None:
    user = UserFactory.create()
    rows = [_row(user), _row("nobody"), _row(user, api_key="ff" * 16)]

    dry = _import(tmp_path, *rows, dry_run=True)

    assert _accounts(user) == []
    assert {**_import(tmp_path, *rows), "dry_run": True} == dry


def test_every_import_is_audited_without_a_secret(tmp_path: Path) -> None:
    user = UserFactory.create()
    row = _row(user)
    _import(tmp_path, row)

    with tenancy.acting_as(user.id):
        [entry] = AuditLog.objects.filter(action="import")
        trail = "".join(str((e.old_values, e.new_values)) for e in AuditLog.objects.all())
    assert (entry.record_id, entry.new_values) == (
        row["id"], {"source": "legacy credentials", "exchange": "binance", "key": True},
    )  # fmt: skip
    assert [text for text in (API_KEY, SECRET, SEALED_KEY) if text in trail] == []


def test_users_are_found_by_id_by_the_map_and_by_address(tmp_path: Path) -> None:
    first, second, third = (UserFactory.create(email=f"U{n}@example.com") for n in range(3))
    users = tmp_path / "users.csv"
    users.write_text("user_id,email\n4711,u1@example.com\n")

    outcome = _import(
        tmp_path, _row(first), _row("4711"), _row("x", email="u2@EXAMPLE.com"), _row("4712"), user_map=users
    )

    assert _reasons(outcome) == [(4, "its user is not known here")]
    assert [len(_accounts(user)) for user in (first, second, third)] == [1, 1, 1]


def test_deleted_users_and_unknown_exchanges_are_set_aside(tmp_path: Path) -> None:
    gone, user = UserFactory.create(is_deleted=True), UserFactory.create()

    outcome = _import(tmp_path, _row(gone), _row(user, exchange="bitfinex"), _row(user, id=""), _row(user))

    assert _reasons(outcome) == [
        (1, "its user is not known here"),
        (2, "its exchange is not known here"),
        (3, "it has no id"),
    ]
    assert outcome["imported"] == 1


def test_an_id_of_somebody_else_is_not_taken_over(tmp_path: Path) -> None:
    theirs, user = AccountFactory.create(label="Theirs"), UserFactory.create()

    outcome = _import(tmp_path, _row(user, id=str(theirs.id)))

    assert _reasons(outcome) == [(1, "its id is taken by another account")]
    assert [a.label for a in _accounts(theirs.user)] == ["Theirs"]


@pytest.mark.usefixtures("only_binance")
def test_an_exchange_without_an_adapter_is_kept_and_never_synced(tmp_path: Path) -> None:
    user = UserFactory.create()

    outcome = _import(tmp_path, _row(user, exchange="bitget", passphrase=SEALED_PASSPHRASE))

    [account] = _accounts(user)
    assert (outcome["waiting"], account.exchange, account.is_active) == (1, "bitget", True)
    assert "not supported yet" in account.key_note
    assert _opened(account.id, user) == (API_KEY, SECRET, PASSPHRASE)
    assert dispatch.claim_due_accounts(10, at=NOW) == []


def test_the_key_of_a_data_source_comes_without_a_secret(tmp_path: Path) -> None:
    user = UserFactory.create()

    outcome = _import(tmp_path, _row(user, exchange="alpha_vantage", secret_key=SEALED_EMPTY))

    assert outcome["imported"] == 1
    assert _opened(_accounts(user)[0].id, user) == (API_KEY, "", "")


def test_an_exchange_key_without_its_secret_is_set_aside(tmp_path: Path) -> None:
    outcome = _import(tmp_path, _row(UserFactory.create(), secret_key=""))

    assert outcome["imported"] == 0
    assert "its key cannot be one" in _reasons(outcome)[0][1]


def test_rows_that_are_set_aside_end_the_command_with_an_error(tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text(json.dumps([_row("nobody")]))

    with pytest.raises(CommandError, match="1 of 1 rows were set aside"):
        call_command("import_legacy_credentials", file=tmp_path / "export.json", stdout=StringIO())


def test_what_was_switched_off_becomes_a_closed_account_without_a_key(tmp_path: Path) -> None:
    user = UserFactory.create()

    outcome = _import(tmp_path, _row(user, is_active=False))

    with tenancy.acting_as(user.id):
        assert (outcome["closed"], ApiCredential.objects.count()) == (1, 0)
    assert [account.is_active for account in _accounts(user)] == [False]


def test_labels_that_are_taken_or_missing_are_made_different(tmp_path: Path) -> None:
    user = UserFactory.create()

    _import(tmp_path, _row(user), _row(user), _row(user, label=None), _row(user, label="x" * 100),
            _row(user, label="x" * 100))  # fmt: skip

    assert {account.label for account in _accounts(user)} == {
        "Binance", "Main Binance Account", "Main Binance Account 2", "x" * 100, "x" * 95 + " 2",
    }  # fmt: skip


def test_a_csv_file_is_read_like_json(tmp_path: Path) -> None:
    user = UserFactory.create()
    file = tmp_path / "export.csv"
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(_row(user)))
        writer.writeheader()
        writer.writerows([_row(user, is_active="t"), _row(user, is_active="false", label="Off")])

    call_command("import_legacy_credentials", file=file, stdout=StringIO())

    assert [(a.label, a.is_active) for a in _accounts(user)] == [
        ("Main Binance Account", True),
        ("Off", False),
    ]


def test_camel_case_names_are_read_too(tmp_path: Path) -> None:
    user = UserFactory.create()
    row = {
        "id": "1",
        "userId": str(user.id),
        "exchange": "Binance",
        "apiKey": SEALED_KEY,
        "secretKey": SEALED_SECRET,
    }

    assert _import(tmp_path, row)["imported"] == 1


def _pkcs7_forms() -> list[bytes]:
    """Blocks whose padding, alphabet or encoding is wrong."""
    blocks = [
        b"fifteen letters" + bytes([2]),
        b"sixteen letters!" + bytes(16),
        b"a" * 15 + bytes([17]),
        b"a" * 14 + bytes([3, 2]),
        b"\xff" * 15 + bytes([1]),
        b"\x01" * 15 + bytes([1]),
        "ключключ".encode()[:15] + bytes([1]),
    ]
    encryptors = [Cipher(AES(KEY.encode()), CBC(IV.encode())).encryptor() for _ in blocks]
    return [one.update(block) + one.finalize() for one, block in zip(encryptors, blocks, strict=True)]


@pytest.mark.parametrize(
    "text",
    ["zz", "ab", "00" * 15, "00" * 17, "=", "aGVsbG8=", "é", "00" * 32]
    + [block.hex() for block in _pkcs7_forms()]
    + [base64.b64encode(block).decode() for block in _pkcs7_forms()],
)
def test_what_does_not_decrypt_is_told_in_one_way(text: str, tmp_path: Path) -> None:
    with pytest.raises(DoesNotDecrypt) as caught:
        CIPHER.open(text)
    outcome = _import(tmp_path, _row(UserFactory.create(), secret_key=text))

    assert (str(caught.value), caught.value.__cause__) == ("does not decrypt with this key and IV", None)
    assert _reasons(outcome) == [(1, "does not decrypt with this key and IV")]


def test_another_key_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIAL_ENCRYPTION_KEY", KEY[::-1])

    assert _import(tmp_path, _row(UserFactory.create()))["imported"] == 0


@pytest.mark.parametrize(
    "form", [str, lambda text: text.encode().hex(), lambda t: base64.b64encode(t.encode()).decode()]
)
def test_key_and_iv_are_read_as_text_hex_and_base64(form: Any) -> None:
    assert LegacyCipher.parse(key=form(KEY), iv=form(IV)).open(SEALED_SECRET) == SECRET


@pytest.mark.parametrize(("key", "iv"), [("short", IV), (KEY, "short"), ("g" * 64, IV), (KEY, "z" * 32)])
def test_a_key_or_iv_of_another_length_is_refused_without_showing_it(key: str, iv: str) -> None:
    with pytest.raises(LegacyError) as caught:
        LegacyCipher.parse(key=key, iv=iv)

    assert [text for text in (key, iv) if text in str(caught.value)] == []
    assert KEY not in repr(CIPHER)


@pytest.mark.parametrize("name", ["CREDENTIAL_ENCRYPTION_KEY", "CREDENTIAL_IV_KEY"])
def test_the_environment_must_hold_both(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(name)

    with pytest.raises(CommandError, match=f"Set {name}"):
        call_command("import_legacy_credentials", file=tmp_path / "x.json")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.json", "{", "format is broken"),
        ("x.json", "{}", "no JSON list"),
        ("x.json", "[1]", "no JSON list"),
        ("x.json", '[{"id": "1", "is_active": "perhaps"}]', "neither true nor false"),
        ("x.txt", "[]", "must end in"),
        ("none.json", None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, name: str, content: str | None, told: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)

    with pytest.raises(CommandError, match=told):
        call_command("import_legacy_credentials", file=tmp_path / name)
