"""The operations of the OpenAPI document, as the tests of this folder walk through them."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from web.api.docs import document

UNSAFE: Final = ("post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Value:
    """Something a request may carry; `place` is path, query, header or body."""

    name: str
    place: str
    type: str
    """integer, uuid, text, or another JSON type; "" for what takes no free value."""


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    values: tuple[Value, ...]
    statuses: tuple[int, ...]
    is_public: bool

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def is_safe(self) -> bool:
        return self.method not in UNSAFE

    @property
    def takes_body(self) -> bool:
        return any(value.place == "body" for value in self.values)

    def of(self, place: str) -> list[Value]:
        return [value for value in self.values if value.place == place]


@cache
def operations() -> tuple[Operation, ...]:
    return tuple(
        _operation(method, path, description)
        for path, methods in document()["paths"].items()
        for method, description in methods.items()
    )


def _operation(method: str, path: str, description: dict[str, Any]) -> Operation:
    values = [
        Value(parameter["name"], parameter["in"], _type(parameter["schema"]))
        for parameter in description.get("parameters", [])
    ]
    content = description.get("requestBody", {}).get("content", {})
    for media in content.values():
        members = _resolved(media["schema"]).get("properties", {})
        values += [Value(name, "body", _type(schema)) for name, schema in members.items()]
    return Operation(
        method=method,
        path=path,
        values=tuple(dict.fromkeys(values)),
        statuses=tuple(int(status) for status in description["responses"]),
        is_public=not any(description.get("security") or ()),
    )


def _type(schema: dict[str, Any]) -> str:
    schema = _resolved(schema)
    if "enum" in schema or "oneOf" in schema or schema.get("format") in ("date", "date-time"):
        return ""
    kinds = schema.get("type", "string")
    kind = next(k for k in kinds if k != "null") if isinstance(kinds, list) else kinds
    if kind == "string":
        return "uuid" if schema.get("format") == "uuid" else "text"
    return str(kind)


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if len(schema.get("allOf", ())) == 1:
        return _resolved(schema["allOf"][0])
    return schema
