"""A file's history in an account: stored once, asked about where it lacks something, and beside what was synced."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ApiCredential, ExchangeAccount
from orders.models import Fill, Transfer
from pipeline import cursors, history_files, market, reconcile
from pipeline.models import RejectedRow, SyncCursor, SyncRun, Trigger
from portfolio.models import AccountMark, Position, ReconciliationItem
from tests.factories import AccountFactory, FillFactory, TransferFactory, UserFactory
from tests.pipeline.worlds import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_no_prices")]

HEAD = "User ID,Time,Account,Operation,Coin,Change,Remark\n"
# Of the export in tests/exchanges/histories/test_binance_statement.py: a purchase, a sale of more, and a fee alone.
STATEMENT = HEAD + (
    "1,23-12-24 01:09:03,Spot,Transaction Buy,SOL,0.75,\n"
    "1,23-12-24 01:09:03,Spot,Transaction Spend,USDT,-81.15,\n"
    "1,23-12-25 20:17:16,Spot,Transaction Sold,SOL,-0.8,\n"
    "1,23-12-25 20:17:16,Spot,Transaction Revenue,USDT,79.6,\n"
    "1,24-03-24 01:48:42,Spot,Withdraw,USDT,-20.2,Withdraw fee is included\n"
    "1,23-12-23 04:20:58,Spot,Transaction Fee,BNB,-0.0000135,\n"
)


@pytest.fixture
def _no_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """No exchange is asked: everything is quoted in the reporting currency."""
    monkeypatch.setattr(market, "freshen_prices", lambda **_: None)
    monkeypatch.setattr(market, "fetch_candles", lambda *_, **__: 0)


@pytest.fixture
def account() -> ExchangeAccount:
    made: ExchangeAccount = AccountFactory.create(
        user=UserFactory.create(email="trader@example.com"), label="Main"
    )
    return made


def run(tmp_path: Path, content: str, *options: str) -> str:
    """What the command said, also where it ended with lines set aside."""
    file, out = tmp_path / "history.csv", StringIO()
    file.write_text(content)
    try:
        call_command(
            "import_history",
            str(file),
            "--user",
            "trader@example.com",
            "--account",
            "Main",
            *options,
            stdout=out,
        )
    except CommandError as error:
        out.write(str(error))
    return out.getvalue()


def rows(account: ExchangeAccount, model: Any, *columns: str) -> list[Any]:
    with tenancy.acting_as(account.user_id):
        return list(model.objects.order_by("id").values_list(*columns))


def test_facts_are_booked_and_what_they_lack_is_asked_for(account: ExchangeAccount, tmp_path: Path) -> None:
    told = run(tmp_path, STATEMENT)

    assert told.startswith(
        "Binance transaction history: 2 fills, 0 conversions, 1 transfers stored; 0 known before; 1 lines set aside."
    )
    assert rows(account, Position, "exited_quantity", "net_pnl", "unknown_quantity") == [
        (Decimal("0.75"), Decimal("-6.525"), Decimal("0.05"))
    ]
    assert rows(account, ReconciliationItem, "kind", "subject", "difference", "cause") == [
        ("shortfall", "SOL", Decimal("0.05"), "missing_deposit"),
        ("shortfall", "USDT", Decimal("81.15"), "missing_deposit"),
    ]
    assert "question: shortfall SOL: 0.05, Missing Deposit. Facts alone give -0.05 SOL" in told
    assert "1 lines of a file (binance-statement) are not known: line 7: a fee without its trade." in told


def test_lines_that_were_not_understood_are_kept_until_they_are(
    account: ExchangeAccount, tmp_path: Path
) -> None:
    assert "set aside: line 7: a fee without its trade" in run(tmp_path, STATEMENT)
    assert rows(account, RejectedRow, "reason", "mended_at") == [("line 7: a fee without its trade", None)]

    when = "1,23-12-23 04:20:58,Spot,Transaction"
    bought = f"{when} Buy,BNB,0.0135,\n{when} Spend,USDT,-3,\n"
    assert "1 fills" in run(tmp_path, STATEMENT + bought)
    [(mended_at,)] = rows(account, RejectedRow, "mended_at")
    assert mended_at is not None


def test_lines_of_a_file_do_not_matter_once_the_exchange_told_everything(
    account: ExchangeAccount, tmp_path: Path
) -> None:
    run(tmp_path, STATEMENT)
    with tenancy.acting_as(account.user_id):
        cursors.ensure_whole(account=account, due_at=datetime(2026, 2, 1, tzinfo=UTC))
        assert reconcile.know(account).codes == ["unreadable:fills"]
        SyncCursor.objects.update(state="incremental")
        assert reconcile.know(account).codes == []
        since = datetime(2024, 1, 1, tzinfo=UTC)
        SyncCursor.objects.filter(stream="deposits").update(known_from=since)
        assert reconcile.know(account).codes == ["older_history:deposits@2024-01-01", "unreadable:fills"]


def test_a_line_that_was_corrected_is_set_aside_no_more(account: ExchangeAccount, tmp_path: Path) -> None:
    """By a file that has all that the one with the bad line had; no other says anything of it."""
    good = STATEMENT.replace("Withdraw,USDT,-20.2", "Withdraw,USDT,-30.3").rsplit("1,23-12-23", 1)[0]
    run(tmp_path, good.replace("-30.3", "-3O.3"))
    assert rows(account, RejectedRow, "mended_at") == [(None,)]

    other = HEAD + "1,24-03-25 01:48:42,Spot,Withdraw,USDT,-1,\n"
    for content, is_mended in ((other, False), (good, True)):
        assert "1 transfers stored" in run(tmp_path, content)
        [(mended_at,)] = rows(account, RejectedRow, "mended_at")
        assert (mended_at is not None) is is_mended


def test_a_second_run_changes_nothing(account: ExchangeAccount, tmp_path: Path) -> None:
    run(tmp_path, STATEMENT)
    models = (Fill, Transfer, SyncRun, Position, ReconciliationItem)
    before = [rows(account, model) for model in models]

    assert "0 fills, 0 conversions, 0 transfers stored; 3 known before" in run(tmp_path, STATEMENT)
    assert [rows(account, model) for model in models] == before


def test_a_dry_run_tells_and_keeps_nothing(account: ExchangeAccount, tmp_path: Path) -> None:
    assert "2 fills, 0 conversions, 1 transfers would be stored" in run(tmp_path, STATEMENT, "--dry-run")
    assert [rows(account, model) for model in (Fill, Transfer, RejectedRow, SyncRun)] == [[], [], [], []]


def test_what_the_exchange_itself_told_is_left_to_it(account: ExchangeAccount, tmp_path: Path) -> None:
    """By pair and coin, and to the minute: a file has no milliseconds."""
    at = datetime(2023, 12, 25, 20, 17, 16, 523000, UTC)
    FillFactory.create(account=account, base_asset="SOL", symbol="SOLUSDT", side="SELL", executed_at=at)
    FillFactory.create(account=account, executed_at=datetime(2020, 1, 1, tzinfo=UTC))
    TransferFactory.create(account=account, asset="EUR", occurred_at=datetime(2020, 1, 1, tzinfo=UTC))

    told = run(tmp_path, STATEMENT)
    assert "1 fills, 0 conversions, 1 transfers stored; 0 known before" in told
    assert "left out: 1 fills of SOL and USDT since 2023-12-25 20:17, told by the exchange itself" in told

    TransferFactory.create(account=account, kind="WITHDRAWAL", occurred_at=datetime(2020, 1, 1, tzinfo=UTC))
    left = run(tmp_path, STATEMENT)
    assert "left out: 1 withdrawals of USDT since 2020-01-01 00:00, told by the exchange itself" in left


def test_a_history_that_is_still_being_read_is_waited_for(account: ExchangeAccount, tmp_path: Path) -> None:
    with tenancy.acting_as(account.user_id):
        ApiCredential.objects.create(user_id=account.user_id, account=account, api_key="x", api_key_hint="x")
    waits = "The history of 'Main' is still being read: import the file after that."
    assert run(tmp_path, STATEMENT) == waits

    with tenancy.acting_as(account.user_id):
        cursors.ensure_whole(account=account, due_at=datetime(2026, 2, 1, tzinfo=UTC))
    assert run(tmp_path, STATEMENT) == waits
    with tenancy.acting_as(account.user_id):
        SyncCursor.objects.update(state="incremental")
    assert "2 fills" in run(tmp_path, STATEMENT)


FUTURES = (
    "Time,Symbol,Side,Price,Quantity,Amount,Fee,Realized Profit,Buyer,Maker,Trade ID,Order ID\n"
    "26-03-17 09:34:12,BTCUSDC,BUY,73822.3,0.01,738.223,0.29528919 USDC,0,true,false,419925075,49172439177\n"
)


def test_executions_of_contracts_meet_their_synced_selves(account: ExchangeAccount, tmp_path: Path) -> None:
    """Told to the millisecond, and which position they were of."""
    FillFactory.create(
        account=account, market_type="futures", symbol="BTCUSDC", quote_asset="USDC", settle_asset="USDC",
        position_side="LONG", exchange_fill_id="419925075", price=Decimal("73822.3"), quantity=Decimal("0.01"),
        executed_at=datetime(2026, 3, 17, 9, 34, 12, 523000, UTC),
    )  # fmt: skip

    told = run(tmp_path, FUTURES)
    assert "0 fills, 0 conversions, 0 transfers stored; 1 known before" in told
    assert "other content" not in told


def test_what_came_by_an_export_goes_on_with_files(account: ExchangeAccount, tmp_path: Path) -> None:
    """And its books are verified and rebuilt as any."""
    UserFactory.create(email="other@example.com")
    run(tmp_path, STATEMENT, "--account", "Place", "--new")
    path, out = tmp_path / "complete.jsonl", StringIO()
    call_command(
        "export", "--user", "trader@example.com", "--kind", "complete", "--account", "Place", "-o", str(path),
        stderr=StringIO(),
    )  # fmt: skip
    call_command("import_export", str(path), "--user", "other@example.com", stdout=out)
    assert "question: shortfall USDT: 81.15, Missing Deposit." in out.getvalue()

    later = (
        HEAD
        + "1,25-01-01 00:00:00,Spot,Transaction Buy,SOL,1,\n1,25-01-01 00:00:00,Spot,Transaction Spend,USDT,-9,\n"
    )
    options = ("--user", "other@example.com", "--account", "Place")
    assert "2 fills" not in run(tmp_path, STATEMENT + later.removeprefix(HEAD), *options, "--dry-run")
    assert "1 fills, 0 conversions, 0 transfers stored" in run(
        tmp_path, STATEMENT + later.removeprefix(HEAD), *options
    )
    call_command("verify_books", "--user", "other@example.com", stdout=out)
    assert "other@example.com, Place: " in out.getvalue()


INVESTED = (
    "Auto-Invest Date(UTC),Holding Coin,Amount per period,Trading Fee,Units,From,Status\n"
    "{0} 14:00,SOL,10.00000000 USDT,0.00250000 USDT,0.01000000 SOL,Spot Wallet,Success\n"
)


def test_two_files_that_tell_the_same_do_not_meet(account: ExchangeAccount, tmp_path: Path) -> None:
    run(tmp_path, STATEMENT)

    told = (
        "What this file tells of 2023-12-24 to 2024-03-24 the account has from “Binance transaction history”: import"
        " each time from one of them."
    )
    assert run(tmp_path, INVESTED.format("1/5/2024")) == told.replace(
        "2023-12-24 to 2024-03-24", "2024-01-05 to 2024-01-05"
    )
    assert "1 fills" in run(tmp_path, INVESTED.format("5/1/2022"))
    assert run(tmp_path, STATEMENT.replace("23-12-24", "20-12-24")) == told.replace(
        "Binance transaction history", "Binance Auto-Invest history"
    ).replace("2023-12-24", "2020-12-24")


def test_a_file_that_is_hardly_understood_is_refused(
    account: ExchangeAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_files, "MOST_ASIDE", 0)

    told = "More than 0 lines are not understood as Binance transaction history: nothing was stored."
    assert run(tmp_path, STATEMENT) == told


def test_a_file_of_another_exchange_is_refused(account: ExchangeAccount, tmp_path: Path) -> None:
    with tenancy.acting_as(account.user_id):
        ExchangeAccount.objects.update(exchange="mexc")

    told = "Binance transaction history: 'Main' is an account of mexc, which has no such file."
    assert run(tmp_path, STATEMENT) == told
    assert rows(account, Fill) == []


def test_a_file_of_somebody_elses_account_is_refused(account: ExchangeAccount, tmp_path: Path) -> None:
    with tenancy.acting_as(account.user_id):
        ExchangeAccount.objects.update(exchange_uid="7")
    theirs = "The file is of the account 1 at the exchange; 'Main' is 7."
    assert run(tmp_path, STATEMENT) == theirs
    assert "2 fills" in run(tmp_path, STATEMENT.replace("\n1,", "\n7,"))
    assert "2 fills" in run(tmp_path, STATEMENT, "--account", "Place", "--new")

    other = STATEMENT.replace("\n1,", "\n8,")
    place = ("--account", "Place")
    assert run(tmp_path, other, *place) == "The file is of the account 8 at the exchange; 'Place' is 1."
    assert "several accounts at the exchange (1, 8)" in run(tmp_path, STATEMENT + other[len(HEAD) :], *place)
    assert "3 known before" in run(tmp_path, STATEMENT, *place)


# rotki/rotki at ef14aadd, rotkehlchen/tests/data/kucoin_order_history.csv.
KUCOIN = (
    "tradeCreatedAt,symbol,side,price,size,funds,fee,feeCurrency\n"
    "2022-04-28 15:46:07,XRP-USDT,buy,0.64924,432.59183198,280.8559209946952,0.2808559209946952,USDT\n"
)


def test_a_place_we_do_not_speak_to_has_an_account_of_its_own(
    account: ExchangeAccount, tmp_path: Path
) -> None:
    assert "'Main' is an account of binance, which has no such file" in run(tmp_path, KUCOIN)

    options = ("--account", "KuCoin", "--new")
    run(tmp_path, KUCOIN, *options, "--dry-run")
    with tenancy.acting_as(account.user_id):
        assert not ExchangeAccount.objects.filter(exchange="files").exists()
    assert "question: shortfall USDT: 281.1367769156898952" in run(tmp_path, KUCOIN, *options)
    assert run(tmp_path, KUCOIN, *options) == "Another of your accounts has this label."
    assert "0 fills, 0 conversions, 0 transfers stored; 1 known before" in run(tmp_path, KUCOIN, *options[:2])


def test_what_the_exchange_tells_later_takes_the_place_of_the_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account that was filled by a file, and connected then."""
    with world.door():
        account = ExchangeAccount.objects.select_related("user").get(id=world.account.id)
    [(symbol, fills), *_] = sorted(world.truth()["fills"].items())
    first = clock.from_ms(fills[0]["time"])
    content = HEAD + "".join(
        f"1,{at:%y-%m-%d %H:%M:%S},Spot,Transaction {word},{coin},{change},\n"
        for at in (first - timedelta(days=1), first + timedelta(seconds=60))
        for word, coin, change in (("Buy", symbol.removesuffix("USDT"), "0.5"), ("Spend", "USDT", "-20"))
    )
    monkeypatch.setattr(reconcile, "is_being_read", lambda account: False)
    assert history_files.load(account=account, text=content, at=world.now()).fills == 2
    world.sync(Trigger.CONNECT)

    with world.door():
        of_files = Fill.objects.filter(exchange_fill_id__startswith="file-")
        assert list(of_files.values_list("executed_at", flat=True)) == [
            first.replace(microsecond=0) - timedelta(days=1)
        ]
        assert Fill.objects.count() == 1 + sum(map(len, world.truth()["fills"].values()))


def coverage(email: str) -> list[str]:
    with tenancy.acting_as(User.objects.get(email=email).id):
        return list(AccountMark.objects.values_list("coverage", flat=True).get(account__label="Place"))


def test_lines_set_aside_come_with_an_export_and_go_where_they_are_mended(
    account: ExchangeAccount, tmp_path: Path
) -> None:
    UserFactory.create(email="other@example.com")
    run(tmp_path, STATEMENT, "--account", "Place", "--new")
    with tenancy.acting_as(account.user_id):
        place = ExchangeAccount.objects.get(label="Place")
        AccountMark.objects.filter(account=place).update(coverage=["gap:deposits", "unreadable:fills"])
    path, theirs = tmp_path / "complete.jsonl", ("--user", "other@example.com", "--account", "Place")
    call_command(
        "export", "--user", "trader@example.com", "--kind", "complete", "--account", "Place", "-o", str(path),
        stderr=StringIO(),
    )  # fmt: skip
    for _ in range(2):
        call_command("import_export", str(path), "--user", "other@example.com", stdout=StringIO())
    assert coverage("other@example.com") == ["gap:deposits", "unreadable:fills"]

    when = "1,23-12-23 04:20:58,Spot,Transaction"
    run(tmp_path, STATEMENT + f"{when} Buy,BNB,0.0135,\n{when} Spend,USDT,-3,\n", *theirs)
    assert coverage("other@example.com") == ["gap:deposits"]
