import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from tests.clients import problem, stranger


def test_a_living_process_says_so_without_a_database() -> None:
    assert stranger().get("/health/live").json() == {"status": "ok"}


@pytest.mark.django_db
def test_a_ready_process_says_so() -> None:
    response = stranger().get("/health/ready")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_it_is_not_ready_without_its_broker(settings: Settings) -> None:
    settings.REDIS_URL = "redis://:topsecret@127.0.0.1:1/0"

    response = stranger().get("/health/ready")

    assert problem(response) == (503, "not_ready", [])
    assert response.json()["failed"] == ["broker"]
    assert b"topsecret" not in response.content


@pytest.mark.django_db
def test_it_is_not_ready_before_its_migrations() -> None:
    MigrationRecorder(connection).migration_qs.filter(app="pipeline").delete()

    assert stranger().get("/health/ready").json()["failed"] == ["migrations"]


@pytest.mark.django_db
def test_it_is_not_ready_as_another_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE cgt_system")

    assert stranger().get("/health/ready").json()["failed"] == ["database"]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_a_wrong_method_is_a_problem(path: str) -> None:
    assert problem(stranger().post(path)) == (405, "method_not_allowed", [])
