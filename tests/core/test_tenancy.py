from uuid import UUID

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction
from django.db.utils import IntegrityError

from core.django import roles, tenancy
from orders.models import Fill
from portfolio.models import Book
from tests.factories import AccountFactory, FillFactory, UserFactory

pytestmark = pytest.mark.django_db


def _owned_models() -> list[type[tenancy.OwnedModel]]:
    return [model for model in apps.get_models() if issubclass(model, tenancy.OwnedModel)]


def test_tests_run_as_the_application_role() -> None:
    roles.verify()


def test_a_query_without_a_door_raises() -> None:
    with pytest.raises(tenancy.NoOwner):
        Fill.objects.count()


def test_the_owner_sees_own_rows_only() -> None:
    mine, _ = FillFactory.create(), FillFactory.create()

    with tenancy.acting_as(mine.user_id):
        assert list(Fill.objects.values_list("id", flat=True)) == [mine.id]


def test_the_database_hides_foreign_rows_when_the_queryset_is_unscoped() -> None:
    mine, _ = FillFactory.create(), FillFactory.create()

    with tenancy.acting_as(mine.user_id):
        assert list(Fill.unscoped.values_list("id", flat=True)) == [mine.id]


def test_the_database_shows_nothing_without_an_owner() -> None:
    FillFactory.create()

    assert Fill.unscoped.count() == 0


def test_the_database_refuses_a_row_for_somebody_else() -> None:
    stranger, account = UserFactory.create(), AccountFactory.create()

    with pytest.raises(ProgrammingError, match="row-level security"), tenancy.acting_as(stranger.id):
        Fill.unscoped.bulk_create([FillFactory.build(account=account, user_id=account.user_id)])


def test_a_row_cannot_hang_on_a_foreign_account() -> None:
    stranger, account = UserFactory.create(), AccountFactory.create()

    with pytest.raises(IntegrityError, match="account_fk"), tenancy.acting_as(stranger.id):
        Book.objects.create(user_id=stranger.id, account_id=account.id, asset="BTC", currency="USDT", step=1)


def test_the_system_door_sees_all_rows() -> None:
    FillFactory.create(), FillFactory.create()

    with tenancy.as_system("admin"):
        assert Fill.objects.count() == 2


def test_the_system_door_opens_for_listed_places_only() -> None:
    with pytest.raises(ValueError, match="not a system place"), tenancy.as_system("anywhere"):
        pass


def test_after_the_system_door_the_role_is_the_applications_again() -> None:
    with tenancy.as_system("admin"):
        pass

    roles.verify()


def test_a_door_inside_a_foreign_door_is_refused() -> None:
    mine, other = UserFactory.create(), UserFactory.create()

    with tenancy.acting_as(mine.id), pytest.raises(tenancy.OtherOwner), tenancy.acting_as(other.id):
        pass


def test_a_door_inside_the_own_door_joins_it() -> None:
    mine = UserFactory.create()

    with tenancy.acting_as(mine.id), tenancy.acting_as(mine.id):
        assert tenancy.current_owner() == mine.id


def test_after_the_door_the_owner_is_forgotten() -> None:
    FillFactory.create()
    with transaction.atomic():
        assert Fill.unscoped.count() == 0


@pytest.mark.parametrize("model", _owned_models(), ids=lambda model: model.__name__)
def test_every_owned_table_has_its_walls(model: type[tenancy.OwnedModel]) -> None:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SELECT relrowsecurity FROM pg_class WHERE relname = %s", [table])
        enabled = cursor.fetchone()
        cursor.execute(
            "SELECT policyname, roles::text, qual IS NOT NULL AND with_check IS NOT NULL FROM pg_policies"
            " WHERE tablename = %s ORDER BY policyname",
            [table],
        )
        policies = cursor.fetchall()
        cursor.execute(
            "SELECT count(*) FROM pg_constraint WHERE conname = ANY(%s)",
            [[f"{table}_{end}_fk" for end in ("account", "user", "outgoing", "export")]],
        )
        keys = cursor.fetchone()

    assert enabled == (True,)
    assert policies == [("everything", "{cgt_system}", True), ("owner", "{cgt_app}", True)]
    assert keys is not None
    assert keys[0] >= 1


def test_every_model_with_an_owner_is_an_owned_model() -> None:
    identity = {"Session", "ApiToken", "RecoveryCode", "LogEntry"}
    owners = {
        model.__name__
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name == "user" and field.many_to_one and model.__name__ not in identity
    }

    assert owners == {model.__name__ for model in _owned_models()}


def test_every_unique_rule_of_an_owned_table_starts_with_owner_or_account_or_a_parent() -> None:
    starts = {
        (model.__name__, constraint.fields[0])
        for model in _owned_models()
        for constraint in model._meta.total_unique_constraints
    }

    parents = {"book", "position", "trade", "snapshot", "transfer", "outgoing", "export"}
    assert {first for _, first in starts} <= {"user", "account", *parents}


def test_an_owner_is_a_uuid() -> None:
    assert isinstance(UserFactory.create().id, UUID)
