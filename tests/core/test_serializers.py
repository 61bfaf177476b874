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


class _Typed(StrictSerializer):
    name = serializers.CharField(allow_null=True)
    days = serializers.IntegerField()
    can_trade = serializers.BooleanField()


def test_json_types_are_kept_apart() -> None:
    body = _Typed(data={"name": 1, "days": "1", "can_trade": 0}, context={"is_json": True})

    with pytest.raises(ValidationError) as caught:
        body.is_valid(raise_exception=True)

    assert _codes(caught.value) == {"name": ["invalid"], "days": ["invalid"], "can_trade": ["invalid"]}


@pytest.mark.parametrize("is_json", [True, False])
def test_values_of_the_right_json_type_are_taken(is_json: bool) -> None:
    body = _Typed(data={"name": None, "days": 1, "can_trade": False}, context={"is_json": is_json})

    assert body.is_valid()


def test_forms_send_texts_only() -> None:
    assert _Typed(data={"name": "x", "days": "1", "can_trade": "on"}).is_valid()


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
