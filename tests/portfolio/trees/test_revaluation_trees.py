"""What changed in worth outside books, and what open contracts are worth, followed down to quantities and prices."""

from decimal import Decimal
from typing import Any

import pytest

from core import clock
from core.django import tenancy
from core.money import quantize
from credentials.models import ExchangeAccount
from exchanges.rows import TransferKind
from portfolio.models import PortfolioSnapshot, Position
from portfolio.selectors.trees import node
from portfolio.selectors.trees.day import day_tree
from portfolio.selectors.trees.node import ExplanationNode, ExplanationTree
from portfolio.selectors.trees.position import position_tree
from portfolio.selectors.trees.snapshot import snapshot_tree
from tests.factories import AccountFactory
from tests.portfolio import contracts
from tests.portfolio.books import fill, fold, transfer
from tests.portfolio.days import close, closes, day, line, list_pairs, moment, quote, refresh, report
from tests.portfolio.pooled import Pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ExchangeAccount:
    stored: ExchangeAccount = AccountFactory.create()
    return stored


def explained(account: ExchangeAccount, number: int, **asked: Any) -> ExplanationTree:
    with tenancy.acting_as(account.user_id):
        return day_tree(day=day(number).isoformat(), account=str(account.id), **asked)


def differing(tree: ExplanationTree) -> list[str]:
    return [check.name for check in tree.checks if check.equal is not True]


def find(root: ExplanationNode, *path: str) -> ExplanationNode:
    for name in path:
        [root] = [child for child in root.children if child.name == name]
    return root


def parts(root: ExplanationNode, *path: str) -> dict[str, Any]:
    return {each.name: each.value for each in find(root, *path).children}


def test_cash_is_followed_to_what_was_held_and_both_closes(account: ExchangeAccount) -> None:
    closes("EURUSDT", "1.05", "1.10")
    fold(account, transfer(account, asset="EUR", amount=Decimal(100), occurred_at=moment(0)))
    report(account, moment(1, 23), EUR="100")
    refresh(account)

    root = explained(account, 1).root

    stock = find(root, "revaluation", "asset:EUR", "stock_change")
    assert [find(root, "revaluation").value, stock.value] == [5, 5]
    assert parts(stock, "stock") == {"held": 100, "booked": 0}
    assert parts(stock, "change") == {"close": Decimal("1.10"), "close_before": Decimal("1.05")}
    assert find(stock, "change", "close").details == {"source": "binance:EURUSDT:1d"}


def test_what_moved_is_followed_to_its_kinds_and_to_what_the_books_counted_it_at(
    account: ExchangeAccount,
) -> None:
    list_pairs("BTCUSDT", "BTCUSDC", "USDCUSDT")
    close("USDCUSDT", 0, "1.02", opened="1.00")
    close("BTCUSDT", 0, "100")
    bought = {"symbol": "BTCUSDC", "quote_asset": "USDC", "executed_at": moment(0)}
    fold(
        account,
        transfer(account, asset="USDC", amount=Decimal(100), occurred_at=moment(0, 8)),
        fill(account, "BUY", "0.5", "100", fee_amount=Decimal(1), fee_currency="USDC", **bought),
    )
    report(account, moment(0, 23), USDC="49", BTC="0.5")
    refresh(account)

    root = explained(account, 0).root

    asset = find(root, "revaluation", "asset:USDC")
    assert parts(asset) == {"moved": Decimal("-52.02"), "counted": -51}
    assert parts(asset, "moved", "quantity") == {"fees": -1, "traded": -50}
    assert [asset.value, find(root, "residual").value] == [Decimal("-1.02"), 0]


def trade_of_everything(account: ExchangeAccount) -> None:
    """Four days of coins bought, sold at unknown cost, withdrawn and given, cash of two kinds, and two contracts."""
    closes("BTCUSDT", "100", "93.7", "111.123456789", "120")
    closes("USDCUSDT", "0.9991", "1.0007", "0.99871", "1")
    list_pairs("BTCUSDC")
    in_usdc = {"symbol": "BTCUSDC", "quote_asset": "USDC"}
    fold(
        account,
        transfer(account, amount=Decimal(3000), occurred_at=moment(0, 1)),
        transfer(account, asset="USDC", amount=Decimal(500), occurred_at=moment(0, 1)),
        transfer(account, asset="BTC", amount=Decimal(1), occurred_at=moment(0, 2)),
        fill(account, "BUY", "1.3", "99.7", executed_at=moment(1), fee_amount=Decimal("0.0013"), fee_currency="BTC"),
        fill(account, "BUY", "0.7", "97.77", executed_at=moment(1, 12), fee_amount=Decimal("0.31"),
             fee_currency="USDC", **in_usdc),
        fill(account, "SELL", "2.7", "104.3", executed_at=moment(2), **in_usdc),
        transfer(account, kind=TransferKind.WITHDRAWAL, asset="BTC", amount=Decimal("0.1"),
                 fee_amount=Decimal("0.01"), occurred_at=moment(1, 20)),
        transfer(account, kind=TransferKind.INTEREST, asset="USDC", amount=Decimal("1.5"), occurred_at=moment(2, 3)),
    )  # fmt: skip
    inverse = {"symbol": "BTCUSD", "quote_asset": "USD", "is_inverse": True}
    contracts.fold(
        account,
        contracts.fill(account, "BUY", "3", "100", executed_at=moment(0), fee_amount=Decimal("0.03")),
        contracts.fill(account, "SELL", "1", "95", executed_at=moment(1), realized_pnl=Decimal(-5)),
        contracts.fill(account, "SELL", "700", "97", executed_at=moment(1), **inverse),
        contracts.funding(account, "-0.7", paid_at=moment(2, 8)),
    )
    for number, cash in ((2, "2890"), (3, "2900")):
        report(account, moment(number, 23), USDT=cash, USDC="730.35", BTC="0.2")
    refresh(account)


def test_every_day_of_a_rich_account_adds_up_from_its_leaves(account: ExchangeAccount) -> None:
    trade_of_everything(account)

    trees = [explained(account, number) for number in range(4)]

    assert [differing(tree) for tree in trees] == [[]] * 4
    assert all(find(tree.root, "revaluation").value for tree in trees[1:])
    assert parts(trees[3].root, "residual", "unexplained") == {"asset:USDT": 10}
    with tenancy.acting_as(account.user_id):
        row = PortfolioSnapshot.objects.get(snapshot_date=day(2))
        assert differing(snapshot_tree(snapshot_id=str(row.pk))) == []


def test_an_open_contract_is_followed_to_its_size_and_its_marks(account: ExchangeAccount) -> None:
    trade_of_everything(account)

    change = find(explained(account, 2).root, "unrealized")
    [linear, inverse] = [
        {each.title: each for each in find(end, "contracts").children}
        for end in (find(change, f"unrealised:{day(2)}"), find(change, f"unrealised:{day(1)}"))
    ]

    long = linear["BTCUSDT long"]
    assert long.value == 2 * Decimal("111.123456789") - 200
    assert parts(long, "gain", "worth") == {"size": 2, "mark": Decimal("111.123456789")}
    assert find(long, "gain", "worth", "mark").details == {"source": "BTC: binance:BTCUSDT:1d"}
    short = inverse["BTCUSD short"]
    assert parts(short, "gain", "worth") == {"size": 700, "mark": Decimal("93.7")}
    assert parts(short)["settle_price"] == Decimal("93.7")
    assert short.value == quantize(700 - Decimal("93.7") * parts(short, "gain")["entered"])


def test_what_could_not_be_valued_stands_beside_what_is_left(account: ExchangeAccount) -> None:
    closes("BTCUSDT", "100", "100")
    fold(
        account,
        transfer(account, occurred_at=moment(0, 1)),
        transfer(account, asset="XYZ", amount=Decimal(7), occurred_at=moment(1)),
        fill(
            account, "BUY", "1", "100", executed_at=moment(1, 12), fee_amount=Decimal(2), fee_currency="XYZ"
        ),
    )
    report(account, moment(1, 23), USDT="900", BTC="1", XYZ="5")
    refresh(account)

    tree = explained(account, 1)

    told = [(each.name.split(":")[0], each.value) for each in find(tree.root, "residual", "rest").children]
    assert told == [("unpriced", 5), ("fees", 2), ("waiting", None), ("waiting", None)]
    assert tree.adds_up


def test_each_accounts_part_of_a_pool_adds_up() -> None:
    closes("BTCUSDT", "100", "130", "150")
    pool = Pool(cost_method="average")
    pool.fold(
        transfer(pool.here, amount=Decimal(1000), occurred_at=moment(0, 1)),
        transfer(pool.there, amount=Decimal(1000), occurred_at=moment(0, 1)),
        fill(pool.here, "BUY", "2", "101", executed_at=moment(0)),
        fill(pool.there, "BUY", "1", "107", executed_at=moment(1)),
        fill(pool.there, "SELL", "0.6", "140", executed_at=moment(2)),
    )
    report(pool.here, moment(2, 23), USDT="798", BTC="2")
    report(pool.there, moment(2, 23), USDT="977", BTC="0.4")
    for name in ("here", "there"):
        refresh(pool.account(name))

    trees = [explained(pool.account(name), number) for name in ("here", "there") for number in range(3)]

    assert [differing(tree) for tree in trees] == [[]] * 6


def test_a_long_revaluation_leads_on(account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "LIMIT", 1)
    closes("EURUSDT", "1.05", "1.10")
    closes("USDCUSDT", "0.9", "1")
    fold(
        account,
        *[
            transfer(account, asset=each, amount=Decimal(100), occurred_at=moment(0))
            for each in ("EUR", "USDC")
        ],
    )
    report(account, moment(1, 23), EUR="100", USDC="100")
    refresh(account)

    tree = explained(account, 1)
    rest = find(tree.root, "revaluation", "rest")
    more = explained(account, 1, part="revaluation", after=1).root

    assert [rest.value, rest.count] == [5, 1]
    assert rest.link == f"/api/explain/day/{day(1)}?account={account.id}&part=revaluation&after=1"
    assert ([each.name for each in more.children], tree.adds_up) == (["asset:EUR"], True)


def test_prices_that_moved_since_the_present_day_was_drawn_stand_by_themselves(
    account: ExchangeAccount,
) -> None:
    closes("BTCUSDT", "100")
    now = moment(1, 12)
    quote("BTCUSDT", "110", now)
    fold(account, transfer(account, amount=Decimal(1000), occurred_at=moment(0, 8)))
    contracts.fold(account, contracts.fill(account, "BUY", "2", "100", executed_at=moment(0)))
    report(account, now, USDT="1000")
    refresh(account, now)
    quote("BTCUSDT", "120", now + clock.DAY / 24)

    tree = explained(account, 1)

    moved = find(tree.root, "unrealized", f"unrealised:{day(1)}", "contracts", "changed_since")
    assert [line(account, "unrealized_pnl")[1], moved.value] == [20, -20]
    assert tree.adds_up


def test_a_position_is_followed_to_its_funding_and_to_what_it_is_worth_now(account: ExchangeAccount) -> None:
    """A contract that settles in its coin, with a payment before it opened, and coins beside it."""
    closes("BTCUSDT", "100", "93.7", "111.123456789", "120")
    quote("BTCUSDT", "125", moment(3, 12))
    inverse = {"symbol": "BTCUSD", "quote_asset": "USD", "is_inverse": True}
    in_btc = {"symbol": "BTCUSD", "asset": "BTC"}
    fold(
        account,
        transfer(account, occurred_at=moment(0, 1)),
        fill(account, "BUY", "2", "100", executed_at=moment(0)),
    )
    contracts.fold(
        account,
        contracts.funding(account, "-0.5", paid_at=moment(0, 8), **in_btc),
        contracts.fill(account, "SELL", "700", "97", executed_at=moment(1), **inverse),
        contracts.funding(account, "0.0012345678", paid_at=moment(1, 16), **in_btc),
        contracts.fill(account, "BUY", "300", "95", executed_at=moment(2), **inverse),
        contracts.funding(account, "-0.0003456789", paid_at=moment(2, 16), **in_btc),
    )
    with tenancy.acting_as(account.user_id):
        rows = {row.symbol: row for row in Position.objects.filter(status="OPEN")}
        trees = {symbol: position_tree(position_id=row.pk, at=moment(3, 12)) for symbol, row in rows.items()}
        listed = position_tree(position_id=rows["BTCUSD"].pk, at=moment(3), part="funding")

    assert {symbol: differing(tree) for symbol, tree in trees.items()} == {"BTCUSDT": [], "BTCUSD": []}
    assert find(trees["BTCUSD"].root, "funding").value == listed.root.value == rows["BTCUSD"].funding != 0
    assert len(find(trees["BTCUSD"].root, "funding").children) == 2
    assert parts(trees["BTCUSDT"].root, "unrealised") == {"worth": 250, "cost": 200}
    assert find(trees["BTCUSDT"].root, "unrealised").value == 50
