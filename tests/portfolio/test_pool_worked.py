"""rp2's universal application: its golden reports of input/test_data.ods, asset B2, held at two exchanges.

Facts of eprbell/rp2 at eb2a36853db5094011d664cbe498a59b50dd44cd. Interest has the spot price as its cost; gifts and
donations are sales at market value there. Its cost holds the fiat fee, and a coin fee is a sale without proceeds; here
both are fees, so net results are its capital gains.
"""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.django import tenancy
from orders.models import Fill, Transfer
from portfolio.models import Trade, Valuation
from tests.portfolio.books import fill, transfer
from tests.portfolio.pooled import Pool

pytestmark = pytest.mark.django_db

# `here` is its Coinbase, `there` its BlockFi.
BOUGHT = [
    ("here", "2020-01-01T08:41", "1", "11000", "100"),
    ("here", "2020-04-01T09:45", "4", "14000", "400"),
    ("here", "2020-05-01T14:03", "5", "15000", "500"),
]
EARNED = [("2020-02-01T11:18", "2", "12000"), ("2020-03-01T09:45", "3", "13000")]
SOLD = [
    ("here", "2020-01-11T11:15", "0.2", "11200", "0"),
    ("here", "2020-02-11T19:58", "1", "12200", "0"),
    ("there", "2020-04-11T07:10", "5", "14200", "0"),
    ("here", "2020-04-12T17:50", "3.79", "14300", "0"),
    ("here", "2021-06-11T05:31", "2", "20200", "0.01"),
]


def when(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("method", "gains"),
    [
        ("fifo", {2020: 9278, 2021: 10059}),
        ("lifo", {2020: 9248, 2021: 10049}),
        ("hifo", {2020: 9248, 2021: 10049}),
    ],
)
def test_gains_by_year(method: str, gains: dict[int, int]) -> None:
    pool = Pool(cost_method=method)
    facts: list[Fill | Transfer] = []
    for written, amount, price in EARNED:
        hour = when(written).replace(minute=0)
        with tenancy.acting_as(pool.user.id):
            Valuation.objects.create(
                user_id=pool.user.id, asset="BTC", currency="USDT", at=hour, price=Decimal(price), source="rp2",
                source_at=hour,
            )  # fmt: skip
        earned = {"kind": "INTEREST", "asset": "BTC", "occurred_at": when(written)}
        facts.append(transfer(pool.there, amount=Decimal(amount), **earned))
    for where, written, quantity, price, fee in BOUGHT:
        paid = {"fee_amount": Decimal(fee), "fee_currency": "USDT"}
        facts.append(fill(pool.account(where), "BUY", quantity, price, executed_at=when(written), **paid))
    for where, written, quantity, price, fee in SOLD:
        paid = {"fee_amount": Decimal(fee), "fee_currency": "BTC"}
        facts.append(fill(pool.account(where), "SELL", quantity, price, executed_at=when(written), **paid))

    pool.fold(*facts)

    found: dict[int, Decimal] = defaultdict(Decimal)
    for sold, net in pool.told(Trade, "exit_time", "net_pnl"):
        found[sold.year] += net
    assert found == gains
