"""Whose rows a piece of code may see: one door, `acting_as`, and three walls behind it.

1. Owner-scoped managers: `Model.objects` answers for the owner of the open door and raises without one.
2. Row-level security: the database role `cgt_app` sees rows of `app.user_id` only (policy made by `TenantTable`).
3. Composite foreign keys (user_id, account_id), so that a row cannot hang on another user's account.

`as_system` enters the role `cgt_system`, which sees all rows, for the places listed in `SYSTEM_PLACES`. Whoever enters
is written into the audit trail before the door opens, so that even work undone later has left its trace. Clockwork is
not: it comes every few seconds, for nobody in particular, shows nothing to a person, and would bury what matters; its
entries are lines of the log at DEBUG.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar
from uuid import UUID

from django.apps.registry import Apps
from django.db import connection, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from core.django import actors, auditing
from core.django.roles import APP_ROLE, SYSTEM_ROLE

SYSTEM: Final = "system"

# The only places that may see rows of several owners; each is a short read or upkeep.
SYSTEM_PLACES: Final = frozenset(
    {
        "dispatch-due-work",  # which accounts have due cursors, stale books, missing snapshots
        "market-data-needs",  # which assets anybody holds
        "admin",  # the operators' pages
        "key-rotation",  # every sealed value, sealed anew
        "verify-invariants",  # what must hold over everybody's rows; only reads
    }
)

CLOCKWORK: Final = frozenset({"dispatch-due-work", "market-data-needs"})

logger = logging.getLogger(__name__)

# None: no door open. A UUID: that owner. SYSTEM: all rows.
_door: ContextVar[UUID | str | None] = ContextVar("tenancy_door", default=None)

_M = TypeVar("_M", bound=models.Model)


class NoOwner(RuntimeError):
    """A query for owned rows outside `acting_as` and `as_system`: a bug, never an answer."""


class OtherOwner(RuntimeError):
    """A door opened for one owner inside the door of another."""


def current_owner() -> UUID:
    """The owner of the open door. Raises NoOwner if there is none."""
    owner = _door.get()
    if not isinstance(owner, UUID):
        raise NoOwner("Open tenancy.acting_as(user) first.")
    return owner


@contextmanager
def acting_as(owner: UUID) -> Iterator[None]:
    """Open a transaction in which only `owner`'s rows exist. Joins an open door of the same owner."""
    door = _door.get()
    if door == owner:
        yield
        return
    if door is not None:
        raise OtherOwner("A door is open already; close it before acting for somebody else.")
    nested = connection.in_atomic_block
    token = _door.set(owner)
    try:
        with transaction.atomic():
            _enter(owner=str(owner))
            yield
            # The setting lasts as long as the outer transaction, which in tests goes on; rolling back undoes it.
            if nested and not connection.needs_rollback:
                _enter(owner="")
    finally:
        _door.reset(token)


@contextmanager
def as_system(place: str, **details: str) -> Iterator[None]:
    """Open a transaction in which all rows exist, for one of SYSTEM_PLACES; `details` go into the audit trail."""
    if place not in SYSTEM_PLACES:
        raise ValueError(f"{place!r} is not a system place; see SYSTEM_PLACES.")
    if _door.get() is not None:
        raise OtherOwner("A door is open already; system work stands alone.")
    if place in CLOCKWORK:
        logger.debug("System door: %s", place)
    else:
        auditing.record(auditing.SYSTEM_DOOR, details={"place": place, **details})
    nested = connection.in_atomic_block
    token = _door.set(SYSTEM)
    try:
        with transaction.atomic():
            _enter(owner="", role=SYSTEM_ROLE)
            yield
            if nested and not connection.needs_rollback:
                _enter(owner="", role=APP_ROLE)
    finally:
        _door.reset(token)


def _enter(*, owner: str, role: str | None = None) -> None:
    """Owner and role of this transaction, and for the audit trail its actor, in one round trip."""
    settings = {"app.user_id": owner} | ({} if role is None else {"role": role})
    texts = ", ".join(f"set_config('{name}', %s, true)" for name in settings)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {texts}, {actors.STAMP}", [*settings.values(), *actors.settings_for(actors.current())]
        )


class OwnedQuerySet(models.QuerySet[_M]):
    """Chainable filters shared by owned models."""


class OwnedManager(models.Manager[_M]):
    """Answers for the owner of the open door; without a door every query raises NoOwner."""

    def get_queryset(self) -> models.QuerySet[_M]:
        door = _door.get()
        if door is None:
            raise NoOwner(f"{self.model.__name__} rows are reachable only inside tenancy.acting_as(user).")
        rows: models.QuerySet[_M] = super().get_queryset()
        return rows if door == SYSTEM else rows.filter(user_id=door)


class OwnedModel(models.Model):
    """A row that belongs to a user. The foreign key's database side is made by `TenantTable`."""

    user = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )

    objects = OwnedManager()
    unscoped = models.Manager()  # for migrations, deletion checks and tests of the database's own wall

    class Meta:
        abstract = True
        base_manager_name = "unscoped"


class AccountModel(OwnedModel):
    """A row that belongs to an exchange account, and so to the account's user."""

    account = models.ForeignKey(
        "credentials.ExchangeAccount",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    class Meta(OwnedModel.Meta):
        abstract = True


_POLICY = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner ON {table} TO cgt_app
  USING ({column} = nullif(current_setting('app.user_id', true), '')::uuid)
  WITH CHECK ({column} = nullif(current_setting('app.user_id', true), '')::uuid);
CREATE POLICY everything ON {table} TO cgt_system USING (true) WITH CHECK (true);
"""
_NO_POLICY = """
DROP POLICY IF EXISTS owner ON {table};
DROP POLICY IF EXISTS everything ON {table};
ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
"""
_USER_KEY = """
ALTER TABLE {table} ADD CONSTRAINT {table}_user_fk
  FOREIGN KEY (user_id) REFERENCES accounts_user (id);
"""
_ACCOUNT_KEY = """
ALTER TABLE {table} ADD CONSTRAINT {table}_account_fk
  FOREIGN KEY (user_id, account_id) REFERENCES credentials_exchangeaccount (user_id, id);
"""


class TenantTable(Operation):
    """Give a model's table its walls, in the migration that creates it: policies and the owner's foreign key."""

    reversible = True
    atomic = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing of it is part of a model's state."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = _model(to_state.apps, app_label, self.model_name)
        table = model._meta.db_table
        account = next((field for field in model._meta.fields if field.name == "account"), None)
        if account is not None:
            schema_editor.execute(_ACCOUNT_KEY.format(table=table))
        if account is None or account.null:  # a null account would leave the owner unchecked
            schema_editor.execute(_USER_KEY.format(table=table))
        schema_editor.execute(_POLICY.format(table=table, column="user_id"))

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        table = _model(from_state.apps, app_label, self.model_name)._meta.db_table
        schema_editor.execute(_NO_POLICY.format(table=table))
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_user_fk")
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_account_fk")

    def describe(self) -> str:
        return f"Tenant walls of {self.model_name}"

    def deconstruct(self) -> Any:
        return self.__class__.__qualname__, [self.model_name], {}


def _model(apps: Apps, app_label: str, name: str) -> type[models.Model]:
    return apps.get_model(app_label, name)
