"""The pages of trades, closed positions, fees and brackets, and what their owner notes on a trade."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User
from core import clock
from core.django import tenancy
from credentials.models import ExchangeAccount
from orders.models import Order
from portfolio import scope as scopes
from portfolio.models import Trade
from portfolio.selectors import fees, pairs, trades
from portfolio.selectors.performance import period_for
from tests.factories import AccountFactory, OrderFactory
from web.pages import lists


def shown(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def listed(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'class="row-link" href="/trades/(\d+)"', page)]


@pytest.fixture
def noted(alice: User, trade_id: int) -> tuple[int, Order]:
    """Alice's last trade, and the order that ended it."""
    with tenancy.acting_as(alice.id):
        row = Trade.objects.select_related("account").get(id=trade_id)
    placed: Order = OrderFactory.create(
        account=row.account, symbol=row.symbol, exchange_order_id=row.exit_order_id, side="SELL"
    )
    return trade_id, placed


def test_all_trades_of_a_time_stand_with_their_sum(
    as_alice: Client, alice: User, account: ExchangeAccount
) -> None:
    page = shown(as_alice, "/trades?period=all")
    with tenancy.acting_as(alice.id):
        scope, at = scopes.resolve(), clock.now()
        found = trades.history(scope=scope, period=period_for("all_time", scope=scope, at=at), limit=100)

    assert found.total_trades == len(found.trades) > 1
    assert listed(page) == [row.id for row in found.trades]
    assert f"{found.total_trades} trades, net" in page
    assert f'title="{found.total_pnl.normalize():f} USDT"' in page


def test_pages_lead_to_each_other(
    as_alice: Client, account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = listed(shown(as_alice, "/trades?period=all"))
    monkeypatch.setattr(lists, "SHOWN", 2)
    first = shown(as_alice, "/trades?period=all")
    older = re.search(r'href="\?([^"]*cursor=[^"]*)">Older', first)
    assert older is not None
    second = shown(as_alice, f"/trades?{older[1].replace('&amp;', '&')}")

    assert (listed(first), listed(second)) == (whole[:2], whole[2:4])
    assert 'period=all">Newest' in second


def test_a_symbol_is_found_however_it_is_written(as_alice: Client, account: ExchangeAccount) -> None:
    found = listed(shown(as_alice, "/trades?period=all&symbol=btcusdt"))
    assert found == listed(shown(as_alice, "/trades?period=all&symbol=BTCUSDT")) != []
    assert listed(shown(as_alice, "/trades?period=all&symbol=BTC")) == []


def test_unknown_choices_are_the_usual_ones(as_alice: Client, account: ExchangeAccount) -> None:
    assert listed(shown(as_alice, "/trades?period=x&view=y&cursor=z")) == listed(shown(as_alice, "/trades"))


@pytest.mark.parametrize(
    "path",
    ["/trades?tag=%00", "/trades?symbol=a%00&view=positions", "/brackets?strategy=%00", "/fees?type=%00"],
)
def test_nonsense_breaks_nothing(path: str, as_bob: Client) -> None:
    assert as_bob.get(path).status_code == 200


def test_closed_positions_stand_with_the_figures_of_pairs(
    as_alice: Client, alice: User, account: ExchangeAccount
) -> None:
    page = shown(as_alice, "/trades?view=positions&period=all")
    with tenancy.acting_as(alice.id):
        scope, at = scopes.resolve(), clock.now()
        found = pairs.pairs(scope=scope, period=period_for("all_time", scope=scope, at=at), limit=50).results

    assert len(found) > 1
    for row in found:
        assert f'href="/explain/position/{row.id}"' in page
        for figure in (row.totalBuyCost, row.totalSellRevenue, row.costBasis, row.pnl, row.net_pnl):
            assert f'title="{figure.normalize():f}"' in page


def test_a_note_with_tags_and_a_strategy_is_kept_and_found_again(
    as_alice: Client, noted: tuple[int, Order]
) -> None:
    trade_id, order = noted
    said = {"order": order.pk, "note": "Too early.", "tags": "breakout, news ,,breakout", "strategy": "swing"}

    done = as_alice.post(f"/trades/{trade_id}/notes", said)

    assert (done.status_code, done["Location"]) == (302, f"/trades/{trade_id}")
    page = shown(as_alice, f"/trades/{trade_id}")
    told = ("Too early.", 'class="chip">breakout<', 'class="chip">news<', 'value="swing"', "strategy=swing")
    assert [text for text in told if text not in page] == []
    assert listed(shown(as_alice, "/trades?tag=news")) == [trade_id]
    assert listed(shown(as_alice, "/trades?strategy=swing")) == [trade_id]
    assert listed(shown(as_alice, "/trades?tag=new")) == []
    assert "1 trade, net" in shown(as_alice, "/trades?tag=news")


def test_what_is_no_tag_is_told_at_its_field(as_alice: Client, noted: tuple[int, Order]) -> None:
    trade_id, order = noted

    refused = as_alice.post(
        f"/trades/{trade_id}/notes", {"order": order.pk, "tags": "x" * 41, "note": "kept"}
    )

    page = refused.content.decode()
    assert refused.status_code == 422
    assert f'id="tags-{order.pk}-wrong">Ensure this field has no more than 40 characters.' in page
    assert ">kept</textarea>" in page


def test_anothers_order_cannot_be_noted_on(as_alice: Client, trade_id: int) -> None:
    foreign = OrderFactory.create()
    answers = [
        as_alice.post(f"/trades/{trade_id}/notes", {"order": order, "note": "mine"}).status_code
        for order in (foreign.pk, "x", 2**63)
    ]
    with tenancy.acting_as(foreign.user_id):
        assert (answers, Order.objects.get(id=foreign.pk).note) == ([404, 422, 422], "")


def test_fees_stand_with_their_sums(as_alice: Client, alice: User, account: ExchangeAccount) -> None:
    page = shown(as_alice, "/fees?period=all")
    with tenancy.acting_as(alice.id):
        scope, at = scopes.resolve(), clock.now()
        told = fees.summary(scope=scope, period=period_for("all_time", scope=scope, at=at), currency="USDT")

    assert told.saved > 0
    rows = (*told.by_month, *told.by_exchange, *told.by_currency, *told.by_type, *told.own_coins)
    worth = [told.total, told.saved, *(getattr(row, "value", told.saved) for row in rows)]
    assert [value for value in worth if f'title="{value.normalize():f}' not in page] == []
    only = shown(as_alice, "/fees?period=all&type=MAKER")
    assert ("<td>maker" in only, "<td>taker" in only) == (True, False)


def test_an_orphaned_leg_is_pointed_out(as_alice: Client, account: ExchangeAccount) -> None:
    at = clock.now() - timedelta(hours=1)
    OrderFactory.create(
        account=account, role="SL", group_id="g", side="SELL", stop_price=Decimal(90), ordered_at=at,
        exchange_order_id="left-alone", linked_by="client_id",
    )  # fmt: skip

    page = shown(as_alice, "/brackets?which=orphaned")

    assert "orphaned leg" in page
    assert "left-alone" in page
    assert "1 order waits</a>" in shown(as_alice, "/")


@pytest.mark.parametrize("path", ["/trades", "/trades?view=positions", "/fees", "/brackets"])
def test_another_persons_rows_are_not_there(
    path: str, as_bob: Client, bob: User, account: ExchangeAccount
) -> None:
    mine = AccountFactory.create(user=bob)
    page = shown(as_bob, path)
    assert "BTCUSDT" not in page
    join = "&" if "?" in path else "?"
    assert as_bob.get(f"{path}{join}account={account.id}").status_code == 404
    assert as_bob.get(f"{path}{join}account={mine.id}").status_code == 200
