"""System checks that keep tenancy whole: of the models at every start, of the database after every migration."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from core.django import auditing
from core.django.roles import APP_ROLE, SYSTEM_ROLE
from core.django.tenancy import OwnedManager, OwnedModel

# Rows of users outside row-level security: they are read before anybody knows who asks, by exact key only.
IDENTITY_MODELS: Final = frozenset(
    {
        "accounts.Session",
        "accounts.TwoFactor",
        "accounts.RecoveryCode",
        "accounts.ApiToken",
        "accounts.User_groups",
        "accounts.User_user_permissions",
        "admin.LogEntry",
    }
)
_OWNER_POLICY: Final = "(user_id = (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid)"
_POLICIES: Final = {
    ("owner", f"{{{APP_ROLE}}}", "ALL", _OWNER_POLICY, _OWNER_POLICY),
    ("everything", f"{{{SYSTEM_ROLE}}}", "ALL", "true", "true"),
}
_TRAIL_POLICIES: Final = {
    ("owner_reads", f"{{{APP_ROLE}}}", "SELECT", _OWNER_POLICY, None),
    ("everything", f"{{{SYSTEM_ROLE}}}", "SELECT", "true", None),
}


def owned_models() -> list[type[OwnedModel]]:
    return [model for model in apps.get_models() if issubclass(model, OwnedModel)]


def check_models(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Every model with a user is an OwnedModel or a named identity model, and owned ones cannot be read unscoped."""
    errors: list[CheckMessage] = []
    for model in apps.get_models(include_auto_created=True):
        if issubclass(model, OwnedModel):
            errors += _check_managers(model)
            errors += _check_unique_rules(model)
        elif _has_user(model) and model._meta.label not in IDENTITY_MODELS:
            hint = "Derive it from core.django.tenancy.OwnedModel, or name it in checks.IDENTITY_MODELS."
            errors.append(
                Error("It has a user but no owner's walls.", hint=hint, obj=model, id="tenancy.E001")
            )
    known = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    errors += [
        Error(f"IDENTITY_MODELS names {label}, which does not exist.", id="tenancy.E002")
        for label in sorted(IDENTITY_MODELS - known)
    ]
    return errors


def _has_user(model: type[models.Model]) -> bool:
    return any(
        isinstance(field, models.ForeignKey)
        and field.remote_field.model is apps.get_model(settings.AUTH_USER_MODEL)
        for field in model._meta.local_fields
    )


def _check_managers(model: type[OwnedModel]) -> Iterator[CheckMessage]:
    if not isinstance(model._default_manager, OwnedManager) or not isinstance(model.objects, OwnedManager):
        yield Error("Its `objects`, and default, manager is no OwnedManager.", obj=model, id="tenancy.E003")
    if type(model._base_manager) is not models.Manager:
        yield Error("Its base manager is not the plain `unscoped` one.", obj=model, id="tenancy.E004")


def _check_unique_rules(model: type[OwnedModel]) -> Iterator[CheckMessage]:
    """A rule over several owners would tell one that another has such a row."""
    rules: list[Sequence[str]] = [
        [field.name] for field in model._meta.local_fields if field.unique and not field.primary_key
    ]
    rules += model._meta.unique_together
    rules += [
        rule.fields
        for rule in model._meta.constraints
        if isinstance(rule, models.UniqueConstraint) and rule.fields
    ]
    for names in rules:
        fields = [model._meta.get_field(name) for name in names]
        if not (any(getattr(field, "primary_key", False) for field in fields) or _is_private(fields[0])):
            yield Error(
                f"Its unique rule over {', '.join(names)} starts with neither owner, account, parent nor a UUID.",
                obj=model,
                id="tenancy.E005",
            )


def _is_private(field: Any) -> bool:
    """The owner, a UUID, or a row that has an owner itself."""
    if isinstance(field, models.UUIDField) or field.name == "user":
        return True
    return isinstance(field, models.ForeignKey) and issubclass(field.remote_field.model, OwnedModel)


def check_database(app_configs: Any, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The database holds what the models promise. Says nothing between migrations: one of them may mend it."""
    errors: list[CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            errors += _check_tables(connection)
            errors += _check_trail(connection)
    return errors


def _check_tables(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    tables = {model._meta.db_table: model for model in owned_models()}
    for table, model in tables.items():
        if _policies(connection, table) != _POLICIES:
            hint = "Add TenantTable for it to the migration that makes it."
            yield Error(
                "Its row-level security is not that of an owned table.",
                hint=hint,
                obj=model,
                id="tenancy.E006",
            )
        if not _ask(connection, _OWNER_KEYS, [table]):
            yield Error("Its owner hangs on no foreign key in the database.", obj=model, id="tenancy.E007")
        private = [field.column for field in model._meta.local_fields if _is_private(field)]
        for (name,) in _ask(connection, _OPEN_INDEXES, [table, private]):
            yield Error(f"The unique index {name} spans several owners.", obj=model, id="tenancy.E008")
    for (table,) in _ask(connection, _OPEN_TABLES, [list(_identity_tables())]):
        yield Error(f"The table {table} has a user_id but no row-level security.", id="tenancy.E009")


def _check_trail(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    if _policies(connection, auditing.TABLE) != _TRAIL_POLICIES:
        yield Error("The audit trail's row-level security is not what it must be.", id="tenancy.E010")
    for role, table, right in _ask(connection, _RIGHTS_TOO_MANY, [[APP_ROLE, SYSTEM_ROLE], auditing.TABLE]):
        yield Error(
            f"{role} may {right} {table}.", hint=f"REVOKE {right} ON {table} FROM {role};", id="tenancy.E011"
        )


def _identity_tables() -> list[str]:
    return [apps.get_model(label)._meta.db_table for label in IDENTITY_MODELS]


def _policies(connection: BaseDatabaseWrapper, table: str) -> set[tuple[Any, ...]]:
    """Empty where row-level security is off, whatever policies lie about."""
    return set(_ask(connection, _TABLE_POLICIES, [table]))


def _ask(connection: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


_TABLE_POLICIES: Final = """
SELECT policyname, roles::text, cmd, qual, with_check FROM pg_policies
JOIN pg_class c ON c.oid = format('%%I.%%I', schemaname, tablename)::regclass
WHERE tablename = %s AND schemaname = 'public' AND c.relrowsecurity
"""
_OWNER_KEYS: Final = """
SELECT 1 FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
WHERE k.conrelid = %s::regclass AND k.contype = 'f' AND k.convalidated AND a.attname = 'user_id'
"""
# Unique indexes that start with none of the columns given (an expression counts as none), and that do not hold the
# primary key, which makes any of its supersets unique by itself.
_OPEN_INDEXES: Final = """
SELECT i.indexrelid::regclass::text FROM pg_index i
JOIN pg_index p ON p.indrelid = i.indrelid AND p.indisprimary
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = %s::regclass AND i.indisunique AND NOT i.indkey::int2[] @> p.indkey::int2[]
  AND NOT coalesce(a.attname = ANY (%s), false)
"""
_OPEN_TABLES: Final = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND a.attname = 'user_id'
  AND NOT c.relrowsecurity AND c.relname <> ALL (%s)
"""
_RIGHTS_TOO_MANY: Final = """
SELECT role, c.relname, want.right
FROM unnest(%s::name[]) AS role, pg_class c, (VALUES ('TRUNCATE'), ('INSERT'), ('UPDATE'), ('DELETE')) AS want ("right")
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND (want.right = 'TRUNCATE' OR c.relname = %s) AND has_table_privilege(role, c.oid, want.right)
"""
