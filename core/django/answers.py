"""From the frozen rows selectors return to JSON, and to their description in the OpenAPI document.

Money is a JSON number on the seeds' routes and text on all others; both carry every digit and no padding.
"""

import dataclasses
import types
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core import money

Amounts = Literal["number", "text"]
Convert = Callable[[Any], Any]
_JSON: Final = frozenset({str, int, bool, type(None)})
_kind: Final[Callable[[Any], Any]] = type


def plain(value: Any, *, amounts: Amounts) -> Any:
    """Dataclasses, lists and mappings as JSON's own types; Decimals, as numbers, stay Decimals without padding.

    Raises TypeError for what has no JSON form.
    """
    return _as_json(_kind(value), amounts)(value)


@cache
def _as_json(kind: Any, amounts: Amounts) -> Convert:
    """What makes JSON's own types of a type's values."""

    def convert(value: Any) -> Any:
        own = _kind(value)
        return value if own in _JSON else _as_json(own, amounts)(value)

    if issubclass(kind, Decimal):
        return money.text if amounts == "text" else _unpadded
    for known, shape in _SHAPES.items():
        if issubclass(kind, known):
            return shape
    if issubclass(kind, Mapping):
        return lambda value: {str(name): convert(item) for name, item in value.items()}
    if issubclass(kind, list | tuple):
        return lambda value: [convert(item) for item in value]
    if dataclasses.is_dataclass(kind):
        return _of_fields(kind, amounts)
    raise TypeError(f"{kind.__name__} has no JSON form.")


def _of_fields(kind: Any, amounts: Amounts) -> Convert:
    """Most values of an answer are fields, and most of these JSON already: they are asked here, not by a call each."""
    names = _names(kind)

    def convert(value: Any) -> dict[str, Any]:
        return {
            name: item
            if (own := _kind(item := getattr(value, name))) in _JSON
            else _as_json(own, amounts)(item)
            for name in names
        }

    return convert


def _same(value: Any) -> Any:
    return value


def _unpadded(amount: Decimal) -> Decimal:
    return Decimal(money.text(amount))


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


# Of a type and its subclasses; the first that fits. Texts of enumerations become bare ones.
_SHAPES: Final[Mapping[type, Convert]] = {
    types.NoneType: _same,
    int: _same,
    str: str,
    datetime: _utc,
    date: date.isoformat,
    UUID: str,
}


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


@cache
def schema(kind: type, *, amounts: Amounts) -> type[serializers.Serializer[Any]]:
    """A serializer that describes a dataclass to the OpenAPI generator; it is never run."""
    hints = get_type_hints(kind)
    fields = {name: _field(hints[name], amounts) for name in _names(kind) if get_args(hints[name]) != (kind,)}
    doc = kind.__doc__ or ""
    # A dataclass without a docstring gets its signature as one.
    text = "" if doc.startswith(f"{kind.__name__}(") else doc
    # Rows that are answered both ways need two names.
    name = kind.__name__ if amounts == "text" else f"{kind.__name__}Numbers"
    plain_fields = type(f"{name}Serializer", (serializers.Serializer,), {**fields, "__doc__": text})
    nested = [name for name in _names(kind) if get_args(hints[name]) == (kind,)]
    return _recursive(plain_fields, nested) if nested else plain_fields


def _recursive(
    described: type[serializers.Serializer[Any]], nested: list[str]
) -> type[serializers.Serializer[Any]]:
    """With lists of its own kind in it, which can be named only once the class is there."""

    def get_fields(self: Any) -> dict[str, Any]:
        own = {name: recursive(many=True) for name in nested}
        return {**described.get_fields(self), **own}

    members = {"get_fields": get_fields, "__doc__": described.__doc__}
    recursive = type(described.__name__, (described,), members)
    return recursive


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class NumberOrText(serializers.Field[Any, Any, Any, Any]):
    """An id that some exchanges write as a number."""


def _field(hint: Any, amounts: Amounts, *, null: bool = False) -> serializers.Field[Any, Any, Any, Any]:
    options: dict[str, Any] = {"allow_null": True} if null else {}
    if get_origin(hint) in (Union, types.UnionType):
        inner = [part for part in get_args(hint) if part is not type(None)]
        if set(inner) == {int, str}:
            return NumberOrText(**options)
        if len(inner) != 1:
            raise TypeError(f"{hint} is no type the schema knows.")
        return _field(inner[0], amounts, null=True)
    if get_origin(hint) in (list, tuple):
        item = get_args(hint)[0]
        if dataclasses.is_dataclass(item):
            return schema(item, amounts=amounts)(many=True, **options)  # type: ignore[arg-type]
        return serializers.ListField(child=_field(item, amounts), **options)
    if get_origin(hint) is dict:
        return serializers.DictField(child=_field(get_args(hint)[1], amounts), **options)
    if dataclasses.is_dataclass(hint):
        return schema(hint, amounts=amounts)(**options)  # type: ignore[arg-type]
    if hint is Decimal:
        as_text = amounts == "text"
        return serializers.DecimalField(
            max_digits=money.DIGITS, decimal_places=money.PLACES, coerce_to_string=as_text, **options
        )
    return _SIMPLE[hint](**options)


_SIMPLE: dict[Any, type[serializers.Field[Any, Any, Any, Any]]] = {
    str: serializers.CharField,
    int: serializers.IntegerField,
    bool: serializers.BooleanField,
    datetime: serializers.DateTimeField,
    date: serializers.DateField,
    UUID: serializers.UUIDField,
}
