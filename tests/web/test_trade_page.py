"""A trade's page."""

from django.test import Client

from accounts.models import User
from core.django import tenancy
from portfolio.selectors.explain import explain


def test_the_page_tells_how_the_pnl_came_about(as_alice: Client, alice: User, trade_id: int) -> None:
    page = as_alice.get(f"/trades/{trade_id}").content.decode()
    with tenancy.acting_as(alice.id):
        tree = explain(trade_id=trade_id)
    assert f'title="{tree.sums.net_pnl.normalize():f} USDT"' in page
    for fill in tree.fills:
        assert f"#{fill.exchange_fill_id} " in page
    assert "adds up" in page


def test_another_persons_trade_is_not_there(as_bob: Client, trade_id: int) -> None:
    assert as_bob.get(f"/trades/{trade_id}").status_code == 404


def test_a_missing_trade_is_not_there(as_alice: Client) -> None:
    assert as_alice.get("/trades/999999999999").status_code == 404


def test_an_id_too_large_for_the_database_is_not_there(as_alice: Client) -> None:
    assert as_alice.get(f"/trades/{10**30}").status_code == 404
