"""Parts of the OpenAPI document that every room shares."""

from typing import Any

from rest_framework import serializers


class ProblemError(serializers.Serializer[Any]):
    """One refused member of a request."""

    pointer = serializers.CharField(help_text="JSON pointer to the member.")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """RFC 9457: what went wrong and what to do. `code` is stable; the texts are for people."""

    type = serializers.CharField(default="about:blank")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = ProblemError(many=True, required=False)  # type: ignore[assignment]  # a field, not the property


def problems(*statuses: int) -> dict[tuple[int, str], type[Problem]]:
    """The `responses` of `extend_schema` for these statuses: `{200: Answer, **problems(400, 401, 404)}`."""
    return {(status, "application/problem+json"): Problem for status in statuses}
