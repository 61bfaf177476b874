"""What every operation of the API has in common, read from its own description."""

from typing import Any

import pytest

from tests.clients import stranger

pytestmark = pytest.mark.django_db
LARGEST_PAGE = 500


@pytest.fixture
def operations() -> dict[str, Any]:
    document = stranger().get("/api/schema/", HTTP_ACCEPT="application/json").json()
    return {
        f"{method} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_operation_tells_of_the_edges_problems(operations: dict[str, Any]) -> None:
    for name, operation in operations.items():
        expected = {"406", "429", "503"} | ({"413", "415"} if "requestBody" in operation else set())
        assert expected <= set(operation["responses"]), name
        assert "Retry-After" in operation["responses"]["429"].get("headers", {}), name


def test_no_page_is_larger_than_the_cap(operations: dict[str, Any]) -> None:
    limits = [
        parameter["schema"]
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "limit"
    ]

    assert limits
    for schema in limits:
        assert schema["maximum"] <= LARGEST_PAGE
        assert schema["minimum"] == 1


def test_every_list_is_paged_or_bounded_by_what_a_user_makes(operations: dict[str, Any]) -> None:
    """Lists without a `limit` are those of things that are few by themselves."""
    paged = {
        name for name, operation in operations.items()
        if any(parameter["name"] in ("limit", "cursor") for parameter in operation.get("parameters", []))
    }  # fmt: skip

    assert {"get /api/audit", "get /api/fills", "get /api/orders"} <= paged
