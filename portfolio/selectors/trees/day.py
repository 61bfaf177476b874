"""A day of the equity curve: what changed the equity, down to parts of exits, fees and funding payments."""

from datetime import date
from functools import partial
from typing import Final

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Sum, When

from core.errors import NotFound
from core.money import ZERO
from credentials.scope import resolve
from orders.models import Fill
from portfolio import day_sums
from portfolio.day_sums import Legs
from portfolio.models import Allocation, AssetDay, BookDay, Fee, PortfolioSnapshot, PositionSide
from portfolio.selectors.trees import composition, facts, node, revaluation
from portfolio.selectors.trees.composition import DayEnd
from portfolio.selectors.trees.node import ExplanationNode, ExplanationTree, Rule, texts
from portfolio.selectors.trees.step import Step, span, steps

_IDENTITY: Final = "flows + gross realised + change in unrealised + revaluation + funding − fees + residual"
_RISES: Final = Q(trade__side=PositionSide.LONG, trade__is_inverse=False) | Q(
    trade__side=PositionSide.SHORT, trade__is_inverse=True
)
_GROSS: Final = Sum(Case(When(_RISES, then=F("proceeds") - F("cost")), default=F("cost") - F("proceeds")))
_COLUMNS: Final = (
    ("flows", "Deposits less withdrawals", 1),
    ("gross_pnl", "Gross realised", 1),
    ("unrealized", "Change in unrealised", 1),
    ("revaluation", "Revaluation of what no book holds", 1),
    ("funding", "Funding received less paid", 1),
    ("fees", "Fees", -1),
    ("residual", "What nothing explains", 1),
)


def day_tree(*, day: str, account: str | None = None, part: str = "", after: int = 0) -> ExplanationTree:
    """A day of an account, or of all live ones. Raises NotFound for what is no day, or has no snapshot."""
    asked = _day(day)
    scope = resolve(account=account)
    found = steps(scope.account_ids, asked)
    if not found:
        raise NotFound("There is no snapshot of that day.")
    if len(found) == 1:
        return _of_one(found[0], part=part, after=after)
    if part:
        raise NotFound("Ask for a part of one account.")
    currency = found[0].row.currency
    root = node.summed(
        "equity_change", "Change in equity", currency, "sum over accounts", [_account(step) for step in found]
    )
    details = texts(day=asked, accounts=len(found))
    return node.tree(
        kind="day", row_id=asked.isoformat(), title=f"{asked}", currency=currency, root=root, details=details
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound("A day is written 2026-01-31.") from None


def _path(step: Step) -> str:
    return f"{facts.path_of('day', step.row.snapshot_date)}?account={step.row.account_id}"


def _account(step: Step) -> ExplanationNode:
    """One of several: its identity; its own tree goes on from there."""
    currency = step.row.currency
    children = [
        ExplanationNode(name, title, step.column(name), currency, sign=sign) for name, title, sign in _COLUMNS
    ]
    return ExplanationNode(
        name=f"account:{step.row.account_id}",
        title=step.row.account.label,
        value=step.change,
        unit=currency,
        rule=Rule.SUM,
        formula=_IDENTITY,
        details=texts(exchange=step.row.exchange, grade=step.row.grade, doubts=step.row.grade_reason),
        link=_path(step),
        children=children,
    )


def _of_one(step: Step, *, part: str, after: int) -> ExplanationTree:
    row = step.row
    lists = {name: partial(_fee_list, step, name) for name in ("fees", "funding")}
    if part.startswith("gross:") and part[6:].isdecimal() and part[6:].isascii():
        root = _gross_of_book(step, int(part[6:]), after)
    elif part == "revaluation":
        parts = revaluation.revaluation(step, composition.day_ends(step), _legs(step), after)
        root = node.summed(part, _TITLES[part], row.currency, "sum over assets", parts)
    elif part in lists:
        root = node.summed(part, _TITLES[part], row.currency, "sum over the day's facts", lists[part](after))
    elif part:
        raise NotFound("There is no such part of a day.")
    else:
        root = _identity(step)
    return node.tree(
        kind="day",
        row_id=row.snapshot_date.isoformat(),
        title=f"{row.snapshot_date} · {row.account.label}",
        currency=row.currency,
        root=root,
        details=details(row),
    )


def details(row: PortfolioSnapshot) -> dict[str, str]:
    return texts(
        account=row.account_id,
        exchange=row.exchange,
        day=row.snapshot_date,
        snapshot=row.pk,
        grade=row.grade,
        doubts=row.grade_reason,
        computed_at=row.computed_at,
        engine_version=row.engine_version,
    )


def _legs(step: Step) -> list[Legs]:
    return day_sums.legs(step.row.account, step.row.snapshot_date)


_TITLES: Final = {name: title for name, title, _ in _COLUMNS}
_FORMULAS: Final = {
    "flows": "what came in less what went out, at the day's close",
    "gross_pnl": "sum over books",
    "unrealized": "unrealised now − unrealised the day before",
    "funding": "sum over the day's payments",
    "fees": "sum over the day's fees, each at the price then",
    "revaluation": f"sum over assets: {revaluation.FORMULA}",
    "residual": "equity change less everything known",
}


def _identity(step: Step) -> ExplanationNode:
    currency = step.row.currency
    ends, legs = composition.day_ends(step), _legs(step)
    made = {
        "flows": _flows(step, ends[0]),
        "gross_pnl": _gross(step, ends[0]),
        "unrealized": [
            composition.unrealised(end, sign=sign) for end, sign in zip(ends, (1, -1), strict=False)
        ],
        "revaluation": revaluation.revaluation(step, ends, legs),
        "funding": _fee_list(step, "funding", 0),
        "fees": _fee_list(step, "fees", 0),
        "residual": revaluation.residual(step, ends, legs),
    }
    children = [
        ExplanationNode(
            name=name,
            title=title,
            value=step.column(name),
            unit=currency,
            rule=Rule.SUM,
            formula=_FORMULAS[name],
            sign=sign,
            children=made[name],
        )
        for name, title, sign in _COLUMNS
    ]
    worth = [
        composition.equity(end, name=name, title=title)
        for end, (name, title) in zip(ends, _ENDS, strict=False)
    ]
    return ExplanationNode(
        name="equity_change",
        title="Change in equity",
        value=step.change,
        unit=currency,
        rule=Rule.SUM,
        formula=_IDENTITY,
        children=[*children, *worth],
    )


_ENDS: Final = (("equity_after", "Equity at the day's end"), ("equity_before", "Equity the day before"))


def _flows(step: Step, end: DayEnd) -> list[ExplanationNode]:
    """By asset at the close that the snapshot used; on the first day also what was there before any fact."""
    row = step.row
    moved = AssetDay.objects.filter(account_id=row.account_id, day=row.snapshot_date).order_by("asset")
    came = [each for each in moved if each.deposited or each.withdrawn or each.moved]
    end.closes.read([each.asset for each in came])
    children = []
    for each in came:
        paid_in, paid_out = each.deposited + max(each.moved, ZERO), each.withdrawn + max(-each.moved, ZERO)
        for name, amount, sign in (("deposited", paid_in, 1), ("withdrawn", paid_out, -1)):
            price = end.closes.of(each.asset)
            if not amount:
                continue
            worth = composition.worth(
                f"{name}:{each.asset}", f"{each.asset} {name}", amount, price, row, sign=sign
            )
            children.append(worth)
    opening = row.flows - node.total(children)
    if step.before is None and opening:
        title = "Held before the first fact"
        children.append(ExplanationNode("opening", title, opening, row.currency))
    return children


def _allocations(step: Step) -> QuerySet[Allocation]:
    """Parts of known cost of the exits filled on the day."""
    start, end = span(step.row.snapshot_date)
    exits = Fill.objects.filter(
        account_id=step.row.account_id,
        executed_at__gte=start,
        executed_at__lt=end,
        symbol=OuterRef("trade__symbol"),
        exchange_order_id=OuterRef("trade__exit_order_id"),
    )
    rows = Allocation.objects.filter(
        Exists(exits),
        account_id=step.row.account_id,
        exit_fill__executed_at__gte=start,
        exit_fill__executed_at__lt=end,
    ).exclude(source=Allocation.Source.UNKNOWN)
    return rows.select_related("trade__position", "entry_fill", "exit_fill", "entry_transfer").defer(
        "entry_fill__raw", "exit_fill__raw", "entry_transfer__raw", "trade__position__checkpoint"
    )


def _gross(step: Step, end: DayEnd) -> list[ExplanationNode]:
    """Book by book; the parts of exits below, if the day has not too many."""
    row = step.row
    books = list(
        BookDay.objects.filter(account_id=row.account_id, day=row.snapshot_date, book__pool="")
        .exclude(gross_pnl=0)
        .select_related("book")
        .defer("book__state")
        .order_by("book__asset", "book_id")
    )
    books += [each for each in end.shared if each.day == row.snapshot_date and each.gross_pnl]
    if not books:
        return []
    parts = list(_allocations(step).order_by("id")[: node.LIMIT + 1])
    by_book: dict[int, list[Allocation]] = {}
    for each in parts:
        by_book.setdefault(each.trade.position.book_id, []).append(each)
    is_whole = len(parts) <= node.LIMIT
    return [
        ExplanationNode(
            name=f"book:{each.book_id}",
            title=f"{each.book.asset} {each.book.side}".strip(),
            value=each.gross_pnl,
            unit=row.currency,
            rule=Rule.SUM if is_whole else Rule.FACT,
            formula="sum over the parts of the day's exits",
            link=None if is_whole else f"{_path(step)}&part=gross:{each.book_id}",
            children=[_part(part, row.currency) for part in by_book.get(each.book_id, [])]
            if is_whole
            else [],
        )
        for each in books
    ]


def _part(part: Allocation, currency: str) -> ExplanationNode:
    return facts.gross(part, facts.way_of(part.trade), currency, link=facts.path_of("trade", part.trade_id))


def _gross_of_book(step: Step, book_id: int, after: int) -> ExplanationNode:
    rows = _allocations(step).filter(trade__position__book_id=book_id)
    found = facts.listed(rows, after=after, sums={"gross": _GROSS})
    currency = step.row.currency
    children = [_part(part, currency) for part in found.rows]
    children += facts.rest_of(found, "gross", unit=currency, path=_path(step), part=f"gross:{book_id}")
    return node.summed("gross_pnl", "Gross realised", currency, "sum over the parts of exits", children)


def _fee_list(step: Step, name: str, after: int) -> list[ExplanationNode]:
    """Fees with a value; funding is listed among them as what it costs, so received is less than nothing."""
    start, end = span(step.row.snapshot_date)
    rows = Fee.objects.filter(
        account_id=step.row.account_id, fee_timestamp__gte=start, fee_timestamp__lt=end, value__isnull=False
    )
    is_funding = name == "funding"
    rows = rows.filter(fee_type="FUNDING") if is_funding else rows.exclude(fee_type="FUNDING")
    sign = -1 if is_funding else 1
    found = facts.listed(rows, after=after, sums={name: sign * Sum("value")})
    currency = step.row.currency
    children = [facts.fee(row, currency, sign=sign) for row in found.rows]
    return [*children, *facts.rest_of(found, name, unit=currency, path=_path(step), part=name)]
