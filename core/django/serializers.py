"""Serializers that refuse what they do not know, for bodies and for query parameters."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

_JSON_TYPES: Final[tuple[tuple[type[Any], Any, str], ...]] = (
    (serializers.BooleanField, bool, "true or false"),
    (serializers.CharField, str, "a text"),
    (serializers.IntegerField, int | Decimal, "a number"),
)


class StrictSerializer(serializers.Serializer[Any]):
    """An unknown member is an error, told together with the others; those in `ignored` may come back from answers."""

    ignored: ClassVar[frozenset[str]] = frozenset()

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = self._unknown(data) if isinstance(data, Mapping) else {}
        if isinstance(data, Mapping) and self.context.get("is_json"):
            errors |= self._mistyped(data)
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            if not isinstance(error.detail, dict):
                raise
            more = {name: texts for name, texts in errors.items() if name not in error.detail}
            raise ValidationError({**error.detail, **more}) from None
        if errors:
            raise ValidationError(errors)
        return value

    def _mistyped(self, data: Mapping[Any, Any]) -> dict[str, list[ErrorDetail]]:
        """JSON's types are kept apart: 0 is not false, and a number is no text. Forms send texts only."""
        return {
            name: [ErrorDetail(f"This must be {told}.", code="invalid")]
            for name, field in self.fields.items()
            for kind, accepted, told in _JSON_TYPES
            if isinstance(field, kind) and data.get(name) is not None and not isinstance(data[name], accepted)
        }

    def _unknown(self, data: Mapping[Any, Any]) -> dict[str, list[ErrorDetail]]:
        detail = ErrorDetail("There is no such member here.", code="unknown")
        return {_printable(name): [detail] for name in data if name not in {*self.fields, *self.ignored}}


class QuerySerializer(StrictSerializer):
    """Query parameters: each at most once. Without fields it allows none."""

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """The validated parameters of a request. Raises ValidationError for unknown, repeated and wrong ones."""
        repeated = {
            _printable(name): [ErrorDetail("Give this parameter once.", code="repeated")]
            for name, values in request.query_params.lists()
            if len(values) > 1
        }
        if repeated:
            raise ValidationError(repeated)
        query = cls(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        parameters: dict[str, Any] = query.validated_data
        return parameters


def _printable(name: Any) -> str:
    """JSON may hold lone surrogates, which no answer can be encoded with; and names need not be long."""
    return str(name)[:60].encode("utf-8", "replace").decode()
