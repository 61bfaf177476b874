"""The rows of a legacy export, JSON or CSV, by the names the rest uses."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.views.decorators.debug import sensitive_variables

from credentials.legacy import LegacyError

_NAMES: Final = {
    "id": "id",
    "user_id": "user_id",
    "userId": "user_id",
    "user": "user_id",
    "email": "email",
    "user_email": "email",
    "userEmail": "email",
    "exchange": "exchange",
    "api_key": "api_key",
    "apiKey": "api_key",
    "secret_key": "secret_key",
    "secretKey": "secret_key",
    "passphrase": "passphrase",
    "is_active": "is_active",
    "isActive": "is_active",
    "label": "label",
}
_TRUE: Final = frozenset({"true", "t", "1", "yes"})
_FALSE: Final = frozenset({"false", "f", "0", "no"})
_LISTS: Final = ("api_credentials", "credentials", "rows", "data")  # where an export may keep its rows


@dataclass(frozen=True, slots=True)
class LegacyRow:
    """One credential as it was exported; the keys are still sealed. `number` counts from 1."""

    number: int
    id: str
    user_id: str
    email: str
    exchange: str
    label: str
    is_active: bool
    api_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    passphrase: str = field(repr=False)


@sensitive_variables()
def read(path: Path) -> list[LegacyRow]:
    """All rows of a file, whose name ends in .json or .csv. Raises LegacyError."""
    records = _records(path)
    return [_row(number, record) for number, record in enumerate(records, start=1)]


def read_user_map(path: Path) -> dict[str, str]:
    """Legacy user ids to e-mail addresses: a JSON object, or a CSV with the columns user_id and email."""
    if path.suffix.lower() == ".json":
        told = _json(path)
        if not isinstance(told, Mapping):
            raise LegacyError("The user map is no JSON object of user ids and e-mail addresses.")
        return {str(key): str(value) for key, value in told.items()}
    records = [_named(record) for record in _records(path)]
    if any(not record.get("user_id") or not record.get("email") for record in records):
        raise LegacyError("The user map needs the columns user_id and email, filled in every row.")
    return {str(record["user_id"]): str(record["email"]) for record in records}


def _records(path: Path) -> list[Mapping[str, Any]]:
    suffix = path.suffix.lower()
    if suffix == ".json":
        told = _json(path)
        if isinstance(told, Mapping):
            told = next((told[name] for name in _LISTS if name in told), None)
        if not isinstance(told, list) or not all(isinstance(each, Mapping) for each in told):
            raise LegacyError("The file is no JSON list of objects.")
        return told
    if suffix == ".csv":
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                return list(csv.DictReader(file, strict=True))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise LegacyError(f"The file cannot be read: {_reason(error)}.") from None
    raise LegacyError("The file's name must end in .json or .csv.")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise LegacyError(f"The file cannot be read: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    """Without the file's text."""
    return error.strerror or "unreadable" if isinstance(error, OSError) else "its format is broken"


def _named(record: Mapping[str, Any]) -> dict[str, Any]:
    return {_NAMES[name]: value for name, value in record.items() if name in _NAMES and value is not None}


@sensitive_variables()
def _row(number: int, record: Mapping[str, Any]) -> LegacyRow:
    values = {name: str(value).strip() for name, value in _named(record).items()}
    texts = {name: values.get(name, "") for name in dict.fromkeys(_NAMES.values()) if name != "is_active"}
    return LegacyRow(number=number, is_active=_flag(number, values.get("is_active", "")), **texts)


def _flag(number: int, text: str) -> bool:
    """Active unless the export says otherwise, as the column's default was."""
    if text.lower() in _FALSE:
        return False
    if text == "" or text.lower() in _TRUE:
        return True
    raise LegacyError(f"Row {number}: is_active is neither true nor false.")
