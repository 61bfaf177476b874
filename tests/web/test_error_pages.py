"""People get pages, programs get problem documents."""

from typing import Any

import pytest
from django.test import Client, RequestFactory

from web.pages import errors

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.django_db
def test_a_person_gets_a_page(client: Client) -> None:
    answer = client.get("/nowhere", headers=HTML)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert b"There is nothing here" in answer.content


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/nowhere", {}), ("/nowhere", {"Accept": "application/json"}), ("/api/nowhere", HTML)],
)
@pytest.mark.django_db
def test_a_program_gets_a_problem_document(client: Client, path: str, headers: dict[str, str]) -> None:
    answer: Any = client.get(path, headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_a_broken_server_says_so_without_a_database() -> None:
    answer = errors.server_error(RequestFactory().get("/", headers=HTML))
    assert answer.status_code == 500
    assert b"Something broke on our side" in answer.content


def test_a_broken_api_says_so_as_a_problem() -> None:
    answer = errors.server_error(RequestFactory().get("/api/positions/open", headers=HTML))
    assert answer.headers["Content-Type"] == "application/problem+json"
