"""A new primary key: everything is sealed anew, nothing is lost, whoever writes and whatever is killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from pytest_django.fixtures import Settings

from accounts.models import AuditLog, TwoFactor
from core.django import sealing, tenancy
from core.vault import KeyRing, VaultError, generate_key
from credentials import accounts, rotation
from credentials.models import ApiCredential, ExchangeAccount
from credentials.vault import Purpose, open_keys
from tests.conftest import NOW
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_worker")]
OLD, NEW = generate_key(), generate_key()
RINGS = {"old first": f"old:{OLD},new:{NEW}", "new first": f"new:{NEW},old:{OLD}", "new only": f"new:{NEW}"}
ROOT = Path(__file__).parents[2]
COUNT = int(os.environ.get("ROTATED_CREDENTIALS", "100"))


@pytest.fixture(autouse=True)
def ring(settings: Settings) -> Any:
    """Begins with the old key; calling it changes the ring."""

    def use(name: str) -> None:
        settings.VAULT = KeyRing.parse(RINGS[name])

    use("old first")
    return use


def _connect(user_id: UUID, number: int) -> ExchangeAccount:
    return accounts.connect(
        user_id=user_id, exchange="binance", api_key=f"{number:064}", secret_key="s" * 64, passphrase="p"
    )


def _opened(account: ExchangeAccount) -> tuple[str, str, str]:
    with open_keys(user_id=account.user_id, account_id=account.id, purpose=Purpose.SYNC) as (keys, _):
        return keys.key, keys.secret, keys.passphrase


def _run(**options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("rotate_credential_keys", json=True, stdout=out, **options)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def _with_authenticator() -> TwoFactor:
    row = TwoFactor(user=UserFactory.create(), created_at=NOW)
    sealing.seal(row, secret="JBSWY3DPEHPK3PXP")
    row.save()
    return row


def test_everything_is_sealed_anew_and_the_old_key_may_go(ring: Any) -> None:
    user = UserFactory.create()
    mine = [_connect(user.id, number) for number in range(7)] + [_connect(UserFactory.create().id, 7)]
    authenticator = _with_authenticator()
    ring("new first")

    report = _run(batch=3)

    assert report == {
        "primary": "new",
        "rotated": {"accounts_twofactor": 1, "credentials_apicredential": 8},
        "left": {"accounts_twofactor": 0, "credentials_apicredential": 0},
        "unreadable": {"accounts_twofactor": 0, "credentials_apicredential": 0},
        "values_by_key": {"new": 25},
        "removable": ["old"],
        "missing": [],
        "dry_run": False,
    }
    ring("new only")
    assert [_opened(account)[0] for account in mine] == [f"{number:064}" for number in range(8)]
    authenticator.refresh_from_db()
    assert sealing.unseal(authenticator, "secret") == "JBSWY3DPEHPK3PXP"


def test_a_second_run_finds_nothing_to_do(ring: Any) -> None:
    _connect(UserFactory.create().id, 1)
    ring("new first")
    _run()
    with tenancy.as_system("admin"):
        before = list(ApiCredential.objects.values())

    assert _run()["rotated"] == {"accounts_twofactor": 0, "credentials_apicredential": 0}
    with tenancy.as_system("admin"):
        assert list(ApiCredential.objects.values()) == before


def test_a_dry_run_writes_nothing(ring: Any) -> None:
    _connect(UserFactory.create().id, 1)
    ring("new first")
    with tenancy.as_system("admin"):
        before = list(ApiCredential.objects.values())

    report = _run(dry_run=True)

    assert (report["left"]["credentials_apicredential"], report["removable"]) == (1, [])
    with tenancy.as_system("admin"):
        assert list(ApiCredential.objects.values()) == before


def test_a_rotation_is_audited_batch_by_batch_without_a_secret(ring: Any) -> None:
    user = UserFactory.create()
    for number in range(3):
        _connect(user.id, number)
    ring("new first")

    _run(batch=2)

    with tenancy.as_system("admin"):
        told = (
            AuditLog.objects.filter(action="keys rotated").order_by("id").values_list("new_values", flat=True)
        )
        changes = AuditLog.objects.filter(action="UPDATE", table_name="credentials_apicredential")
        assert list(told) == [{"rows": 2, "key": "new"}, {"rows": 1, "key": "new"}]
        assert [row.new_values for row in changes] == [
            {"api_key": "[redacted]", "secret_key": "[redacted]", "passphrase": "[redacted]"}
        ] * 3


def test_what_does_not_open_stays_and_is_told(ring: Any) -> None:
    user = UserFactory.create()
    good, bad = _connect(user.id, 1), _connect(user.id, 2)
    with tenancy.acting_as(user.id):
        theirs = ApiCredential.objects.get(account=good).secret_key
        ApiCredential.objects.filter(account=bad).update(secret_key=theirs)
    ring("new first")

    with pytest.raises(CommandError, match="1 rows do not open"):
        _run(batch=1)

    assert _opened(good)[0] == f"{1:064}"
    with tenancy.acting_as(user.id):
        assert ApiCredential.objects.get(account=bad).secret_key == theirs
    with pytest.raises(VaultError):
        _opened(bad)


def test_a_key_that_left_the_ring_too_early_is_named(ring: Any) -> None:
    _connect(UserFactory.create().id, 1)
    ring("new only")

    with pytest.raises(CommandError, match="not in the ring: old"):
        _run(dry_run=True)


@pytest.mark.parametrize("batch", [0, -1, 1001])
def test_a_batch_that_is_none_is_refused(batch: int) -> None:
    with pytest.raises(CommandError, match="--batch"):
        _run(batch=batch)


def test_every_sealed_table_is_found() -> None:
    assert {model._meta.db_table for model in sealing.sealed_models()} == {
        "accounts_twofactor",
        "credentials_apicredential",
    }


class Writer(threading.Thread):
    """Somebody who goes on saving keys, with a ring of before; remembers what was acknowledged last."""

    def __init__(self, mine: list[ExchangeAccount]) -> None:
        super().__init__(daemon=True)
        self.mine, self.saved, self.rounds = mine, {account.id: "s" * 64 for account in mine}, 0
        self.stopping = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.stopping.wait(0.01):  # or the rotation would hardly get a turn
                account = self.mine[self.rounds % len(self.mine)]
                self.rounds += 1
                secret = f"{self.rounds}-{account.id}"
                whole = {"api_key": f"{self.rounds:064}"} if self.rounds % 2 else {}
                accounts.update(user_id=account.user_id, account_id=account.id, secret_key=secret, **whole)
                self.saved[account.id] = secret
        except BaseException as error:
            self.failure = error
        finally:
            connections.close_all()


def _rotate_elsewhere() -> "subprocess.Popen[bytes]":
    url = urlsplit(os.environ["DATABASE_URL"])
    name = connection.settings_dict["NAME"]
    environment = {
        **os.environ,
        "DATABASE_URL": urlunsplit(url._replace(path=f"/{name}")),
        "CREDENTIAL_ENCRYPTION_KEYS": RINGS["new first"],
    }
    command = [sys.executable, "manage.py", "rotate_credential_keys", "--batch", "5"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def _count_of(key: str) -> int:
    with tenancy.as_system("admin"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM credentials_apicredential WHERE starts_with(secret_key, %s)",
            [f"cv1:{key}:"],
        )
        count: int = cursor.fetchone()[0]
        return count


@pytest.mark.django_db(transaction=True)
def test_with_writers_running_and_a_kill_in_between_nothing_is_lost(ring: Any) -> None:
    """`ROTATED_CREDENTIALS=1000` for the larger count."""
    users = [UserFactory.create() for _ in range(4)]
    every = [[_connect(user.id, number) for number in range(COUNT // 4)] for user in users]
    writers = [Writer(mine) for mine in every]
    for writer in writers:
        writer.start()

    killed = _rotate_elsewhere()
    while _count_of("new") < COUNT // 10 and killed.poll() is None:
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert _count_of("old") > 0
    again = _rotate_elsewhere()
    again.communicate()
    for writer in writers:
        writer.stopping.set()
        writer.join()
    last = _rotate_elsewhere()

    assert (last.communicate()[1], last.returncode) == (b"", 0)
    assert [writer.failure for writer in writers] == [None] * 4
    assert min(writer.rounds for writer in writers) > 0
    ring("new only")
    lost = Counter(_opened(a)[1] != writer.saved[a.id] for writer in writers for a in writer.mine)
    assert lost == {False: COUNT}
    assert rotation.survey(batch=100).values_by_key == {"new": 3 * COUNT}
