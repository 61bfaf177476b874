"""A file's history in an account: stored once, asked about where it lacks something, and beside what was synced."""

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import Fill, Transfer
from pipeline import market
from pipeline.models import RejectedRow, SyncRun
from portfolio.models import Position, ReconciliationItem
from tests.factories import AccountFactory, FillFactory, UserFactory

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
    FillFactory.create(account=account, executed_at=datetime(2023, 12, 25, tzinfo=UTC))

    told = run(tmp_path, STATEMENT)
    assert "1 fills, 0 conversions, 1 transfers stored; 0 known before" in told
    assert "left out: 1 facts since 2023-12-25 00:00, told by the exchange itself" in told


def test_a_file_of_another_exchange_is_refused(account: ExchangeAccount, tmp_path: Path) -> None:
    with tenancy.acting_as(account.user_id):
        ExchangeAccount.objects.update(exchange="mexc")

    told = "Binance transaction history: 'Main' is an account of mexc, which has no such file."
    assert run(tmp_path, STATEMENT) == told
    assert rows(account, Fill) == []


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
