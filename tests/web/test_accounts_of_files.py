"""Pages and the API of a user whose only account is known from a file."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import User
from core.django import tenancy
from credentials.models import ExchangeAccount
from pipeline import market
from tests.clients import PageClient, client_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
# rotki/rotki at ef14aadd, rotkehlchen/tests/data/kucoin_order_history.csv.
FILE = (
    "tradeCreatedAt,symbol,side,price,size,funds,fee,feeCurrency\n"
    "2022-04-28 15:46:07,XRP-USDT,buy,0.64924,432.59183198,280.8559209946952,0.2808559209946952,USDT\n"
)
PAGES = ("/", "/connect", "/coverage", "/reconciliation", "/transfers", "/exports", "/account")
ANSWERS = (
    *("/api/fills", "/api/balances", "/api/sync", "/api/connectivity", "/api/fees", "/api/brackets"),
    *("/api/trades/pairs", "/api/reconciliation?kind=shortfall", "/api/trades/history"),
)


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    monkeypatch.setattr(market, "freshen_prices", lambda **_: None)
    monkeypatch.setattr(market, "fetch_candles", lambda *_, **__: 0)
    made: User = UserFactory.create(email="trader@example.com")
    file = tmp_path / "orders.csv"
    file.write_text(FILE)
    call_command(
        "import_history", str(file), "--user", made.email, "--account", "KuCoin", "--new", stdout=StringIO()
    )
    return made


def test_every_page_shows_it(owner: User) -> None:
    browser = PageClient()
    browser.force_login(owner)
    with tenancy.acting_as(owner.id):
        account_id = ExchangeAccount.objects.get().id
    answers = {page: browser.get(page) for page in (*PAGES, f"/connect/{account_id}")}
    assert {page: answer.status_code for page, answer in answers.items()} == dict.fromkeys(answers, 200)
    assert "281.1367769156898952" in answers["/reconciliation"].content.decode()
    assert "Known from files" in answers[f"/connect/{account_id}"].content.decode()


def test_the_api_tells_it(owner: User) -> None:
    client = client_of(owner)
    assert {path: client.get(path).status_code for path in ANSWERS} == dict.fromkeys(ANSWERS, 200)
    items = client.get("/api/reconciliation?kind=shortfall").json()["results"]
    assert [(item["exchange"], item["subject"], item["difference"]) for item in items] == [
        ("files", "USDT", "281.1367769156898952")
    ]
