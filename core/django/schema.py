"""Parts of the OpenAPI document that every room shares."""

from typing import Any, Final

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


# What any operation may answer, before or beside what it does itself.
_ANYWHERE: Final = {
    406: "Answers are JSON.",
    429: "Too many requests; come back after `Retry-After` seconds.",
    503: "The database is slow, busy or away, and nothing was changed; come back after `Retry-After` seconds.",
}
_WITH_BODY: Final = {413: "The body is too large.", 415: "Bodies are JSON."}
_LATER: Final = (429, 503)
_RETRY_AFTER: Final = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def add_common_answers(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: the problems of the edge, on every operation that does not tell of them itself."""
    for operations in result["paths"].values():
        for operation in operations.values():
            told = _ANYWHERE | (_WITH_BODY if "requestBody" in operation else {})
            for status, text in told.items():
                answer = operation["responses"].setdefault(
                    str(status), {"description": text, "content": _PROBLEM}
                )
                if status in _LATER:
                    answer.setdefault("headers", _RETRY_AFTER)
    return result
