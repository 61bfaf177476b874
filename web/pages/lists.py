"""What pages of rows share: what is asked for stands in the address, and unknown choices are the usual ones."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpRequest

from core.django.cursors import Place
from core.errors import DomainError, Invalid
from portfolio import scope as scopes
from portfolio.accounting.periods import PeriodKind
from portfolio.scope import Scope

PERIODS: Final[Mapping[str, str]] = {"30d": "30 d", "90d": "90 d", "1y": "1 y", "all": "All"}
DEFAULT_PERIOD: Final = "90d"
SHOWN: Final = 50
"""Rows a page."""

Chosen = dict[str, str]


def chosen(request: HttpRequest, *names: str, known: Mapping[str, Iterable[str]]) -> Chosen:
    """By name: what was asked for; of `known` names the first of their values, if it is none of them."""
    # No name holds a NUL, and no database takes one.
    found = {name: request.GET.get(name, "").replace("\0", "").strip() for name in (*known, *names)}
    for name, values in known.items():
        found[name] = found[name] if found[name] in (usual := list(values)) else usual[0]
    return found


def query(asked: Chosen, **changed: str | None) -> str:
    """The address of the same choice, but for some of it."""
    return urlencode({name: value for name, value in {**asked, **changed}.items() if value})


def choices(asked: Chosen, name: str, values: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """For a picker: of each value its words and its address."""
    return {value: (words, query(asked, **{name: value})) for value, words in values.items()}


def pages(request: HttpRequest, asked: Chosen, next_cursor: str | None) -> dict[str, Any]:
    """Addresses of the next page and of the first, where there are such."""
    return {
        "older": query(asked, cursor=next_cursor) if next_cursor else "",
        "newest": query(asked) if request.GET.get("cursor") else "",
    }


def window(period: str) -> str:
    """A picker's period as selectors read it."""
    return PeriodKind.ALL_TIME if period == "all" else period


def scope(account: str) -> Scope:
    """Of an account, or of all live ones. Inside an open door; another person's account is not there."""
    try:
        return scopes.resolve(account=account or None)
    except DomainError:
        raise Http404 from None


def nearest(name: str, names: Iterable[str]) -> str:
    """As one of the names is written, whatever its case; else as it was given."""
    return next((each for each in names if each.casefold() == name.casefold()), name)


def place(request: HttpRequest) -> Place | None:
    """Where the page before ended; a cursor of nobody leads to the newest."""
    try:
        return Place.read(request.GET.get("cursor", ""))
    except Invalid:
        return None
