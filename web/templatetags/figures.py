"""How numbers and moments are written on the pages. Exact `Decimal`s come in; what is cut off stands in the title.

Unknown is a dash with its reason, never a zero. Changes carry their sign as well as their colour.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import money
from portfolio.accounting.exits import ExitType
from portfolio.accounting.measure import Reason
from portfolio.accounting.periods import format_duration
from portfolio.selectors.performance import Performance

register = template.Library()

MINUS: Final = "\N{MINUS SIGN}"
DASH: Final = "—"
_MONEY_PLACES: Final = 2
_QUANTITY_PLACES: Final = 8
_SIGNIFICANT: Final = 4  # digits kept of what would round to nothing
_EXITS: Final[Mapping[str, str]] = {ExitType.TP: "take profit", ExitType.SL: "stop loss"}
_REASONS: Final[Mapping[str, str]] = {
    Reason.NO_TRADES: "no trade in this time",
    Reason.NO_WINS: "no winning trade in this time",
    Reason.NO_LOSSES: "no losing trade in this time, and nothing can be divided by zero",
    Reason.NO_DECIDED_TRADES: "every trade broke even",
    Reason.TOO_FEW_TRADES: "too few trades to say",
    Reason.NO_PLANNED_RISK: "no trade had a stop planned",
    Reason.NO_EQUITY_AT_ENTRY: "what the portfolio was worth at the entries is not known",
    Reason.NO_CAPITAL: "no capital was at work",
    Reason.NO_RETURNS: "fewer than two valued days",
    Reason.TOO_FEW_DAYS: "too few days to say",
    Reason.NO_VARIATION: "every day was the same",
    Reason.NO_DOWNSIDE: "no day ended with a loss",
    Reason.NO_DRAWDOWN: "equity never fell",
    Reason.NOT_RECOVERED: "the peak has not been reached again",
    Reason.SEVERAL_RATES: "more than one yearly rate fits the deposits and withdrawals",
    Reason.NO_RATE: "no yearly rate fits the deposits and withdrawals",
    Reason.NO_PRICE: "there is no price to compare with",
    Reason.USED_UP: "withdrawals took more than it would have been worth",
    Reason.NOT_ATTRIBUTABLE: "cash, deposits and open positions belong to the account as a whole",
    Reason.GAINED_DESPITE_FALL: "money moved in or out between peak and trough made up for the fall",
}


@register.simple_tag
def amount(
    value: Decimal | None, unit: str = "", *, signed: bool = False, reason: str | None = ""
) -> SafeString:
    """Money: two decimals, more for what would vanish."""
    return _figure(value, unit, places=_MONEY_PLACES, trim=False, signed=signed, reason=reason)


@register.simple_tag
def exactly(
    value: Decimal | None, unit: str = "", *, signed: bool = False, reason: str | None = ""
) -> SafeString:
    """Money in a sum that a person adds up again: as many of eight decimals as it has, two at least."""
    return _figure(value, unit, places=_needed(value), trim=False, signed=signed, reason=reason)


@register.simple_tag
def price(value: Decimal | None, unit: str = "", *, reason: str | None = "") -> SafeString:
    """A price: as many decimals as its size asks for."""
    return _figure(value, unit, places=_price_places(value), trim=False, reason=reason)


@register.simple_tag
def quantity(
    value: Decimal | None, unit: str = "", *, signed: bool = False, reason: str | None = ""
) -> SafeString:
    """An amount of a coin: up to eight decimals, fewer for large ones, without trailing zeros."""
    whole_digits = max(value.adjusted(), 0) if value else 0
    places = max(_QUANTITY_PLACES - whole_digits - (whole_digits > 0), _MONEY_PLACES)
    return _figure(value, unit, places=places, trim=True, signed=signed, reason=reason)


@register.simple_tag
def percentage(value: Decimal | None, *, signed: bool = False, reason: str | None = "") -> SafeString:
    """A percentage that is already × 100."""
    return _figure(_hundredths(value), "%", places=2, trim=False, signed=signed, reason=reason, exact=value)


@register.simple_tag
def fall(value: Decimal | None, *, reason: str | None = "") -> SafeString:
    """A drawdown, kept as a positive percentage and shown as the loss it is."""
    return _figure(
        -value if value is not None else None, "%", places=2, trim=False, signed=True, reason=reason
    )


@register.simple_tag
def ratio(value: Decimal | None, *, reason: str | None = "") -> SafeString:
    """A bare ratio, such as a profit factor."""
    return _figure(value, "", places=2, trim=False, reason=reason)


@register.simple_tag
def metric(row: Performance, name: str, kind: str) -> SafeString:
    """A figure of the metrics by its name, with the reason where there is none; `kind` is how it is written."""
    value, reason = getattr(row, name), row.reasons.get(name, "")
    if kind == "count":
        return format_html('<span class="num">{}</span>', count(value))
    if kind == "text":
        return unknown(reason) if value is None else format_html("{}", value)
    return _WRITTEN[kind](value, reason)


_WRITTEN: Final[Mapping[str, Callable[[Decimal | None, str], SafeString]]] = {
    "money": lambda value, reason: amount(value, reason=reason),
    "change": lambda value, reason: amount(value, signed=True, reason=reason),
    "percent": lambda value, reason: percentage(value, reason=reason),
    "return": lambda value, reason: percentage(value, signed=True, reason=reason),
    "fall": lambda value, reason: fall(value, reason=reason),
    "ratio": lambda value, reason: ratio(value, reason=reason),
}


@register.simple_tag
def unknown(reason: str | None = "") -> SafeString:
    """The dash of what is not known, and why."""
    if not reason:
        return format_html('<span class="unknown" title="not known">{}</span>', DASH)
    words = in_words(reason)
    return format_html(
        '<span class="unknown" title="{}">{}<span class="sr-only"> not known: {}</span></span>',
        words, DASH, words,
    )  # fmt: skip


@register.simple_tag
def moment(at: datetime | None, *, seconds: bool = False) -> SafeString:
    """A point in time, in UTC as all of the books."""
    if at is None:
        return unknown()
    at = at.astimezone(UTC)
    short = f"{at:%-d %b %Y, %H:%M:%S}" if seconds else f"{at:%-d %b %Y, %H:%M}"
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>', _iso(at), f"{at:%Y-%m-%d %H:%M:%S}", short
    )


@register.simple_tag
def age(at: datetime | None) -> SafeString:
    """A point in time that the browser turns into “12 s ago”; without scripts the moment itself."""
    if at is None:
        return unknown("never so far")
    at = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC" data-age>{} UTC</time>',
        _iso(at), f"{at:%Y-%m-%d %H:%M:%S}", f"{at:%-d %b %H:%M:%S}",
    )  # fmt: skip


@register.simple_tag
def day(value: date) -> SafeString:
    """A UTC calendar day."""
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), day_text(value))


@register.filter
def bare(value: Decimal) -> str:
    """Every digit and nothing else, as a form takes it."""
    return money.text(value)


@register.filter
def share(value: Decimal) -> str:
    """A part of one as a percentage."""
    return f"{written(100 * value, places=2, trim=True)} %"


@register.filter
def of(rows: Mapping[Any, Any], key: Any) -> Any:
    """What a mapping has under a key; nothing if it has none."""
    return rows.get(key, ())


@register.filter
def minute(at: datetime) -> str:
    """A point in time as bare text, where no element can stand."""
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M}"


@register.filter
def held(value: timedelta | None) -> str:
    """How long something was held: `2h 15m`, `3d 4h`."""
    return DASH if value is None else format_duration(value)


@register.filter
def tone(value: Decimal | None) -> str:
    """The colour class of a change; its sign says the same."""
    if not value:
        return ""
    return "up" if value > 0 else "down"


@register.filter
def doubts(text: str) -> str:
    """Why a day is not complete (`no_price:ABC, unexplained`), readable."""
    return "; ".join(in_words(doubt.strip()).replace(":", ": ") for doubt in text.split(","))


@register.filter
def words(code: str) -> str:
    """A code such as `no_losses` or `STOP_LOSS_LIMIT` as words."""
    return in_words(code)


@register.filter
def exit_words(code: str) -> str:
    """How a trade ended."""
    return _EXITS.get(code, code.lower())


@register.filter
def count(value: int) -> str:
    """A number of things, thousands apart."""
    return f"{value:,}"


def in_words(code: str) -> str:
    """The words of a reason or status code; other text stays as it is."""
    if code in _REASONS:
        return _REASONS[code]
    return code.replace("_", " ") if " " not in code else code


def day_text(value: date) -> str:
    return f"{value:%-d %b %Y}"


def written(value: Decimal, *, places: int, trim: bool = False, signed: bool = False) -> str:
    """A number as text: thousands apart, a true minus, a plus if asked, significant digits rather than a false 0."""
    shown = money.quantize(value, places)
    if value and not shown:
        last = Decimal(1).scaleb(value.adjusted() - _SIGNIFICANT + 1)
        shown, trim = value.quantize(last, context=money.CONTEXT), True
    text = f"{abs(shown):,f}"
    if trim and "." in text:
        text = text.rstrip("0").rstrip(".")
    sign = MINUS if shown < 0 else "+" if signed and shown > 0 else ""
    return f"{sign}{text}"


def _figure(
    value: Decimal | None,
    unit: str,
    *,
    places: int,
    trim: bool,
    signed: bool = False,
    reason: str | None = "",
    exact: Decimal | None = None,
) -> SafeString:
    """`exact` stands in the title where the value was rounded before."""
    if value is None:
        return unknown(reason)
    classes = f"num {tone(value)}".strip() if signed else "num"
    title = f"{money.text(value if exact is None else exact)} {unit}".strip()
    suffix = format_html('<span class="unit">{}</span>', unit) if unit else ""
    text = written(value, places=places, trim=trim, signed=signed)
    return format_html('<span class="{}" title="{}">{}{}</span>', classes, title, text, suffix)


def _hundredths(value: Decimal | None) -> Decimal | None:
    """A share of a thousandth of a percent is as good as none."""
    return None if value is None else money.quantize(value, 2)


def _price_places(value: Decimal | None) -> int:
    """Six significant digits, two to eight decimals: 67,123.45 · 1.23456 · 0.00001234."""
    if not value:
        return _MONEY_PLACES
    return min(max(5 - value.adjusted(), _MONEY_PLACES), _needed(value))


def _needed(value: Decimal | None) -> int:
    """Decimals a value has, no zeros for show: two to eight."""
    if not value:
        return _MONEY_PLACES
    exponent = int(value.normalize(money.CONTEXT).as_tuple().exponent)
    return min(max(-exponent, _MONEY_PLACES), _QUANTITY_PLACES)


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
