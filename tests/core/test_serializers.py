from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from core.django.serializers import QuerySerializer, StrictSerializer


class _Body(StrictSerializer):
    name = serializers.CharField()
    ignored = frozenset({"id"})


class _Query(QuerySerializer):
    limit = serializers.IntegerField(default=10)


def _codes(error: ValidationError) -> dict[str, list[str]]:
    codes: Any = error.get_codes()
    return dict(codes)


def _read(query: str) -> dict[str, Any]:
    return _Query.read(Request(APIRequestFactory().get(f"/?{query}")))


def test_an_unknown_member_is_told_together_with_the_others() -> None:
    with pytest.raises(ValidationError) as caught:
        _Body(data={"nmae": "x"}).is_valid(raise_exception=True)

    assert _codes(caught.value) == {"name": ["required"], "nmae": ["unknown"]}


def test_a_member_of_the_answer_may_come_back_and_is_ignored() -> None:
    body = _Body(data={"name": "x", "id": 7})

    assert body.is_valid()
    assert body.validated_data == {"name": "x"}


def test_an_unprintable_name_is_told_printably() -> None:
    with pytest.raises(ValidationError) as caught:
        _Body(data={"name": "x", "\ud800" + "y" * 1000: 1}).is_valid(raise_exception=True)

    assert _codes(caught.value) == {"?" + "y" * 59: ["unknown"]}


def test_query_parameters_are_read_with_their_defaults() -> None:
    assert (_read(""), _read("limit=3")) == ({"limit": 10}, {"limit": 3})


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("limit=1&limit=2", {"limit": ["repeated"]}),
        ("page=1", {"page": ["unknown"]}),
        ("limit=x&page=1", {"limit": ["invalid"], "page": ["unknown"]}),
    ],
)
def test_a_wrong_query_parameter_is_refused(query: str, codes: dict[str, list[str]]) -> None:
    with pytest.raises(ValidationError) as caught:
        _read(query)

    assert _codes(caught.value) == codes
