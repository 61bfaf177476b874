"""Answers about contracts come in an envelope: `{"success": true, "code": 0, "data": …}`."""

from collections.abc import Mapping
from typing import Any, Final

from exchanges.transport import CcxtClient, unreadable

_LIST: Final = "resultList"  # where pages are told with their count


def items(client: CcxtClient, endpoint: str, params: Mapping[str, Any] | None = None) -> list[Any]:
    """The rows of an answer; none for null. Raises ExchangeError."""
    data = content(client, endpoint, params)
    rows = data.get(_LIST) if isinstance(data, dict) and _LIST in data else data
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise unreadable("a list was expected")
    return rows


def item(client: CcxtClient, endpoint: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The one row of an answer. Raises ExchangeError."""
    data = content(client, endpoint, params)
    if not isinstance(data, dict):
        raise unreadable("an object was expected")
    return data


def content(client: CcxtClient, endpoint: str, params: Mapping[str, Any] | None = None) -> object:
    """What is in the envelope. Raises ExchangeError."""
    answer = client.record(endpoint, params)
    if answer.get("success") is not True:
        raise unreadable("an answer without success")
    return answer.get("data")
