"""The walls between users, broken on purpose: each break is told."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.db import connection, models, transaction
from django.test.utils import isolate_apps

from core.django import checks
from core.django.tenancy import OwnedModel

pytestmark = pytest.mark.django_db


@contextmanager
def broken_by(*statements: str) -> Iterator[None]:
    """Statements of the tables' owner, undone afterwards."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET LOCAL ROLE cgt_app")
        yield
        transaction.set_rollback(True)


def told() -> list[tuple[str | None, str]]:
    found = checks.check_database(None, databases=["default"])
    return [(error.id, getattr(error.obj, "__name__", "")) for error in found]


def test_the_database_is_as_the_models_promise() -> None:
    assert [error for error in run_checks(databases=["default"]) if not error.is_silenced()] == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("ALTER TABLE orders_fill DISABLE ROW LEVEL SECURITY", ("tenancy.E006", "Fill")),
        ("DROP POLICY owner ON orders_fill", ("tenancy.E006", "Fill")),
        ("ALTER POLICY owner ON orders_fill USING (true)", ("tenancy.E006", "Fill")),
        ("ALTER POLICY owner ON orders_fill WITH CHECK (true)", ("tenancy.E006", "Fill")),
        ("ALTER POLICY everything ON orders_fill TO cgt_app", ("tenancy.E006", "Fill")),
        ("CREATE POLICY more ON orders_fill USING (true)", ("tenancy.E006", "Fill")),
        ("ALTER TABLE orders_fill DROP CONSTRAINT orders_fill_account_fk", ("tenancy.E007", "Fill")),
        ("CREATE UNIQUE INDEX open_rule ON orders_fill (exchange_fill_id)", ("tenancy.E008", "Fill")),
        (
            "CREATE UNIQUE INDEX open_rule ON orders_fill (lower(symbol), account_id)",
            ("tenancy.E008", "Fill"),
        ),
        ("CREATE TABLE forgotten (id int, user_id uuid)", ("tenancy.E009", "")),
        ("ALTER TABLE accounts_auditlog DISABLE ROW LEVEL SECURITY", ("tenancy.E010", "")),
        ("GRANT INSERT ON accounts_auditlog TO cgt_app", ("tenancy.E011", "")),
        ("GRANT TRUNCATE ON orders_fill TO cgt_system", ("tenancy.E011", "")),
    ],
)
def test_a_wall_that_is_broken_in_the_database_is_told(statement: str, expected: tuple[str, str]) -> None:
    with broken_by(statement):
        assert expected in told()


def test_between_migrations_nothing_is_told() -> None:
    """The next one may be what mends it: `migrate` checks before it starts, too."""
    with broken_by(
        "ALTER TABLE orders_fill DISABLE ROW LEVEL SECURITY",
        "DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations WHERE app = 'accounts')",
    ):
        assert told() == []


def of(*kinds: type[models.Model], monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What the model check tells of these models alone."""
    known = [apps.get_model(label) for label in checks.IDENTITY_MODELS]
    monkeypatch.setattr(apps, "get_models", lambda **_: [*known, *kinds])
    return [error.id for error in checks.check_models(None)]


@isolate_apps("orders")
def test_a_model_with_a_user_must_be_owned(monkeypatch: pytest.MonkeyPatch) -> None:
    class Note(models.Model):
        user = models.ForeignKey(apps.get_model("accounts.User"), on_delete=models.CASCADE)

        class Meta:
            app_label = "orders"

    assert of(Note, monkeypatch=monkeypatch) == ["tenancy.E001"]


@isolate_apps("orders")
def test_an_owned_models_manager_must_be_scoped(monkeypatch: pytest.MonkeyPatch) -> None:
    class Note(OwnedModel):
        objects = models.Manager()  # type: ignore[assignment]

        class Meta(OwnedModel.Meta):
            app_label = "orders"

    assert of(Note, monkeypatch=monkeypatch) == ["tenancy.E003"]


@isolate_apps("orders")
def test_an_owned_models_base_manager_must_be_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    class Note(OwnedModel):
        class Meta:
            app_label = "orders"
            base_manager_name = "objects"

    assert of(Note, monkeypatch=monkeypatch) == ["tenancy.E004"]


@isolate_apps("orders")
def test_a_unique_rule_over_several_owners_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Note(OwnedModel):
        slug = models.CharField(max_length=10, unique=True)
        title = models.CharField(max_length=10)

        class Meta(OwnedModel.Meta):
            app_label = "orders"
            constraints = [
                models.UniqueConstraint(fields=["title", "user"], name="wrong_way_round"),
                models.UniqueConstraint(fields=["user", "title"], name="right"),
                models.UniqueConstraint(fields=["id", "user"], name="key_and_owner"),
            ]

    assert of(Note, monkeypatch=monkeypatch) == ["tenancy.E005", "tenancy.E005"]


def test_a_name_on_the_list_that_is_no_model_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "IDENTITY_MODELS", checks.IDENTITY_MODELS | {"accounts.Gone"})

    assert [error.id for error in checks.check_models(None)] == ["tenancy.E002"]
