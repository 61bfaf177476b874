"""Files that users ask for: written in the background, kept for a while, handed to their owner alone."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import AuditLog, User
from core import clock
from core.django import tenancy
from core.errors import Invalid, NotFound
from credentials.models import ExchangeAccount
from pipeline import broker, export_work, exports, market, tasks
from pipeline.exports import Asked, ExportReport
from pipeline.models import Export, ExportFormat, ExportKind, ExportPart, ExportState
from portfolio.exports import kinds, tables
from tests.factories import AccountFactory, OrderFactory, UserFactory
from tests.portfolio.books import START, fill, fold

pytestmark = pytest.mark.django_db
FILLS = Asked(kind="fills", format="csv")


@pytest.fixture
def account(db: None) -> ExchangeAccount:
    """1 BTC bought at 100 and sold at 120, with words of the user's and somebody's client id."""
    made: ExchangeAccount = AccountFactory.create(
        label="=Main", user=UserFactory.create(email="alice@example.com")
    )
    rows = [fill(made, "BUY", "1", "100"), fill(made, "SELL", "1", "120", exchange_order_id="-7")]
    OrderFactory.create(
        account=made, exchange_order_id="-7", client_order_id="@x", note="=cmd()", tags=["a"], strategy="+swing",
        side="SELL",
    )  # fmt: skip
    fold(made, *rows)
    return made


def ask(account: ExchangeAccount, asked: Asked = FILLS) -> ExportReport:
    return exports.request(user_id=account.user_id, asked=asked, at=clock.now())


def written(account: ExchangeAccount, /, **asked: Any) -> tuple[ExportReport, bytes]:
    report = ask(account, Asked(**asked))
    assert export_work.write(user_id=account.user_id, export_id=report.id, at=clock.now())
    file = exports.download(user_id=account.user_id, export_id=report.id)
    return file.report, b"".join(file.content)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_every_kind_and_format_may_be_asked_for() -> None:
    assert set(kinds.KINDS) == set(ExportKind.values)
    assert set(kinds.MEDIA_TYPES) == set(ExportFormat.values)


def test_a_file_holds_the_rows_and_says_how_many(account: ExchangeAccount) -> None:
    report, content = written(account, kind="fills", format="csv")

    assert [(row["side"], row["price"], row["executed_at"]) for row in rows_of(content)] == [
        ("BUY", "100", "2026-02-01T10:01:00.000000Z"),
        ("SELL", "120", "2026-02-01T10:02:00.000000Z"),
    ]
    assert (report.state, report.row_count, report.size) == ("ready", 2, len(content))
    assert report.sha256 == hashlib.sha256(content).hexdigest()


def test_trades_carry_what_the_user_said_of_their_orders_defused(account: ExchangeAccount) -> None:
    _, content = written(account, kind="trades", format="csv")
    [row] = rows_of(content)

    told = (
        "account",
        "net_pnl",
        "method",
        "exit_order_id",
        "exit_client_order_id",
        "note",
        "tags",
        "held_seconds",
    )
    assert [row[name] for name in told] == ["'=Main", "20", "average", "'-7", "'@x", "'=cmd()", '["a"]', "60"]


def test_json_lines_tell_what_they_are_of(account: ExchangeAccount) -> None:
    _, content = written(account, kind="trades", format="jsonl", account="=Main")
    header, trade, end = map(json.loads, content.splitlines())

    assert {name: header[name] for name in ("version", "kind", "currency", "method", "accounts", "since")} == {
        "version": 1, "kind": "trades", "currency": "USDT", "method": "average", "accounts": ["=Main"], "since": None,
    }  # fmt: skip
    assert (trade["account"], trade["net_pnl"], trade["note"]) == ("=Main", "20", "=cmd()")
    assert end == {"record": "end", "counts": {"trade": 1}}


def test_a_span_ends_before_its_end(account: ExchangeAccount) -> None:
    span = {"since": START + timedelta(minutes=1), "until": START + timedelta(minutes=2)}
    report, _ = written(account, kind="fills", format="csv", **span)

    assert report.row_count == 1


def test_an_account_alone(account: ExchangeAccount) -> None:
    other = AccountFactory.create(user=account.user, label="Other")
    fill(other, "BUY", "1", "100")

    assert written(account, kind="fills", format="csv")[0].row_count == 3
    assert written(account, kind="fills", format="csv", account="Other")[0].row_count == 1


def test_who_asks_again_before_it_is_written_gets_the_same(account: ExchangeAccount) -> None:
    first = ask(account)

    assert ask(account).id == first.id
    export_work.write(user_id=account.user_id, export_id=first.id, at=clock.now())
    assert ask(account).id != first.id


def test_few_are_written_at_a_time(account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST_WAITING", 1)
    ask(account)

    with pytest.raises(exports.TooManyExports, match="wait"):
        ask(account, Asked(kind="trades", format="csv"))


def test_few_are_kept(account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST_KEPT", 1)
    written(account, kind="fills", format="csv")

    with pytest.raises(exports.TooManyExports, match="delete"):
        ask(account)


@pytest.mark.parametrize(
    "asked",
    [
        Asked(kind="secrets", format="csv"),
        Asked(kind="fills", format="xlsx"),
        Asked(kind="fills", format="csv", since=START, until=START),
        Asked(kind="fills", format="csv", exchange="nowhere"),
    ],
)
def test_what_makes_no_sense_is_refused(account: ExchangeAccount, asked: Asked) -> None:
    with pytest.raises(Invalid):
        ask(account, asked)


def test_a_file_is_its_owners_alone(account: ExchangeAccount) -> None:
    report, _ = written(account, kind="fills", format="csv")
    bob: User = UserFactory.create()

    for use in (exports.show, exports.download, exports.delete):
        verb: Callable[..., Any] = use
        with pytest.raises(NotFound):
            verb(user_id=bob.id, export_id=report.id)
    with pytest.raises(NotFound):
        exports.request(user_id=bob.id, asked=Asked("fills", "csv", account=str(account.id)), at=clock.now())


def test_what_is_not_written_cannot_be_had(account: ExchangeAccount) -> None:
    report = ask(account)

    with pytest.raises(exports.NotReady, match="not written yet"):
        exports.download(user_id=account.user_id, export_id=report.id)


def test_asking_and_taking_away_are_audited(account: ExchangeAccount) -> None:
    written(account, kind="fills", format="csv")

    with tenancy.acting_as(account.user_id):
        entries = AuditLog.objects.filter(action="export").order_by("id").values_list("new_values", flat=True)
        assert [entry["step"] for entry in entries if entry] == ["requested", "downloaded"]


def test_a_large_file_is_kept_in_parts(account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_work, "PART", 10)
    monkeypatch.setattr(tables, "_BATCH", 1)
    report, content = written(account, kind="fills", format="csv")

    with tenancy.acting_as(account.user_id):
        assert ExportPart.objects.filter(export_id=report.id).count() > 1
    assert len(rows_of(content)) == 2


def test_a_file_that_grows_too_large_is_not_kept(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_work, "LARGEST", 10)
    report = ask(account)

    assert not export_work.write(user_id=account.user_id, export_id=report.id, at=clock.now())
    shown = exports.show(user_id=account.user_id, export_id=report.id)
    assert (shown.state, (shown.error or "")[:14]) == ("failed", "The file would")
    with tenancy.acting_as(account.user_id):
        assert not ExportPart.objects.exists()


def test_a_claimed_file_is_written_by_nobody_else(account: ExchangeAccount) -> None:
    report, at = ask(account), clock.now()
    assert export_work._claim(account.user_id, report.id, at) == 1

    assert not export_work.write(user_id=account.user_id, export_id=report.id, at=at)


def test_who_comes_late_does_not_write_over_another(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease was over: somebody else began, and finished."""
    report, at = ask(account), clock.now()
    store = export_work._store

    def slow(row: Export, chunks: Any) -> Any:
        Export.objects.filter(id=row.id).update(attempts=2, state=ExportState.READY)
        return store(row, chunks)

    monkeypatch.setattr(export_work, "_store", slow)
    assert not export_work.write(user_id=account.user_id, export_id=report.id, at=at)
    with tenancy.acting_as(account.user_id):
        assert not ExportPart.objects.exists()


def test_a_dead_writers_file_is_begun_anew_a_few_times(account: ExchangeAccount) -> None:
    report, at = ask(account), clock.now()
    for attempt in range(1, export_work.MOST_ATTEMPTS + 1):
        assert export_work._claim(account.user_id, report.id, at) == attempt
        at += export_work.LEASE

    assert export_work._claim(account.user_id, report.id, at) is None
    assert exports.show(user_id=account.user_id, export_id=report.id).state == "failed"


def test_the_task_writes_what_waits_and_throws_away_what_is_over(
    account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _ = written(account, kind="fills", format="csv")
    with tenancy.acting_as(account.user_id):
        Export.objects.filter(id=old.id).update(expires_at=clock.now())
    new = ask(account)

    assert tasks.write_exports() == 1
    states = {row.id: row.state for row in exports.page(user_id=account.user_id).results}
    assert states == {new.id: "ready"}


def test_pages_are_told_apart(account: ExchangeAccount) -> None:
    made = [written(account, kind="fills", format="csv")[0].id for _ in range(3)]

    first = exports.page(user_id=account.user_id, limit=2)
    second = exports.page(user_id=account.user_id, limit=2, cursor=first.next_cursor)
    assert [row.id for row in first.results + second.results] == made[::-1]
    assert second.next_cursor is None


def test_a_deleted_file_is_gone(account: ExchangeAccount) -> None:
    report, _ = written(account, kind="fills", format="csv")
    exports.delete(user_id=account.user_id, export_id=report.id)

    with pytest.raises(NotFound):
        exports.show(user_id=account.user_id, export_id=report.id)


def test_files_of_who_leaves_go_and_none_is_written(account: ExchangeAccount) -> None:
    written(account, kind="fills", format="csv")
    exports.delete_all(user_id=account.user_id)
    assert exports.page(user_id=account.user_id).results == []

    late = ask(account)
    User.objects.filter(id=account.user_id).update(is_deleted=True)
    assert tasks.write_exports() == 0
    assert not export_work.write(user_id=account.user_id, export_id=late.id, at=clock.now())
    with tenancy.acting_as(account.user_id):
        assert not ExportPart.objects.exists()


def test_the_command_writes_the_same_file(account: ExchangeAccount, tmp_path: Path) -> None:
    _, content = written(account, kind="fills", format="csv")
    path = tmp_path / "fills.csv"
    call_command(
        "export", "--user", "alice@example.com", "--kind", "fills", "--format", "csv", "-o", str(path),
        stderr=io.StringIO(),
    )  # fmt: skip

    assert path.read_bytes() == content


def test_the_command_tells_what_is_wrong_and_leaves_no_file(account: ExchangeAccount, tmp_path: Path) -> None:
    path = tmp_path / "fills.csv"
    with pytest.raises(CommandError, match="There is no such account"):
        call_command(
            "export", "--user", "alice@example.com", "--account", "?", "--kind", "fills", "-o", str(path)
        )

    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_a_file_that_is_being_written_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "hint_soon", lambda *_, **__: None)
    account: ExchangeAccount = AccountFactory.create()
    report = ask(account)
    store, told = export_work._store, []

    def attempt() -> str:
        try:
            exports.delete(user_id=account.user_id, export_id=report.id)
        except exports.BeingWritten as error:
            return error.message
        finally:
            connection.close()
        return "deleted"

    def watched(row: Export, chunks: Any) -> Any:
        done = store(row, chunks)
        with ThreadPoolExecutor(1) as other:
            told.append(other.submit(attempt).result())
        return done

    monkeypatch.setattr(export_work, "_store", watched)
    assert export_work.write(user_id=account.user_id, export_id=report.id, at=clock.now())
    assert told == ["The file is being written: delete it when that is done."]
    assert attempt() == "deleted"


def test_the_commands_carry_a_history_to_somebody_else(
    account: ExchangeAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(market, "fetch_candles", lambda needs, **_: 0)
    monkeypatch.setattr(market, "freshen_prices", lambda **_: 0)
    UserFactory.create(email="bob@example.com")
    path, out = tmp_path / "complete.jsonl", io.StringIO()
    call_command(
        "export", "--user", "alice@example.com", "--kind", "complete", "-o", str(path), stderr=io.StringIO()
    )

    call_command("import_export", str(path), "--user", "bob@example.com", stdout=out)
    assert "2 fill" in out.getvalue()
    call_command(
        "export", "--user", "bob@example.com", "--kind", "trades", "-o", str(path), stderr=io.StringIO()
    )
    trade = json.loads(path.read_bytes().splitlines()[1])
    assert (trade["account"], trade["net_pnl"], trade["note"]) == ("=Main", "20", "=cmd()")


def test_what_cannot_be_imported_is_told(account: ExchangeAccount, tmp_path: Path) -> None:
    path = tmp_path / "fills.jsonl"
    call_command(
        "export", "--user", "alice@example.com", "--kind", "fills", "-o", str(path), stderr=io.StringIO()
    )

    with pytest.raises(CommandError, match="only a 'complete' one"):
        call_command("import_export", str(path), "--user", "alice@example.com")
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_export", str(tmp_path / "nothing"), "--user", "alice@example.com")
