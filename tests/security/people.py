"""Three people on one server: Alice and Bob, who own rows in every table, and Carol, who owns none.

Ids that count up start at a number of the person's own, and amounts are of a size of their own, so that a foreign
value is recognised wherever it turns up.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from accounts import sessions
from accounts.models import User
from core import clock
from core.django import actors, tenancy
from core.django.actors import Actor, ActorKind
from credentials.models import ApiCredential, ExchangeAccount
from pipeline import export_work, exports
from tests.clients import JsonClient, with_token
from tests.factories import AccountFactory, FillFactory, OrderFactory, TransferFactory, UserFactory
from tests.security import catalogue
from tests.security.specimens import Specimens
from tests.web import history

SHARED: Final = frozenset(
    {
        "accounts_loginattempts",  # keyed by hashes of e-mails and addresses
        "marketdata_candle",
        "marketdata_listing",
        "marketdata_symbol",
        "marketdata_ticker",
        "pipeline_outage",
    }
)
"""Our tables whose rows belong to nobody."""
DAYS: Final = 12


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    user: User
    password: str
    client: JsonClient
    access_token: str
    refresh_token: str

    @property
    def id(self) -> UUID:
        return self.user.id


def trader(name: str, *, size: Decimal, first_id: int) -> Person:
    """Somebody with a history in every table."""
    with _ids_from(first_id):
        person = newcomer(name)
        with actors.acting(
            Actor(ActorKind.USER, person.id, request_id=f"{name}-request", user_agent=f"{name}-browser")
        ):
            account = history.live(
                user=person.user, at=clock.now(), days=DAYS, label=f"{name}-main", size=size
            )
            _add_facts(name, account, size)
            _export(account)
            _fill_the_rest(person.user, account)
    return person


def newcomer(name: str) -> Person:
    """Somebody with a log-in and nothing else."""
    password = f"{name} horse battery"
    user = UserFactory.create(
        email=f"{name}@{name}.example",
        name=f"{name}-surname",
        pending_email=f"new@{name}.example",
        password=password,
    )
    with actors.acting(Actor(address=f"198.51.100.{len(name)}", user_agent=f"{name}-browser")):
        tokens = sessions.log_in(email=user.email, password=password, at=clock.now())
    client = with_token(tokens.access_token)
    client.defaults["HTTP_USER_AGENT"] = f"{name}-browser"
    return Person(name, user, password, client, tokens.access_token, tokens.refresh_token)


def _add_facts(name: str, account: ExchangeAccount, size: Decimal) -> None:
    """What the history has none of."""
    AccountFactory.create(user=account.user, label=f"{name}-demo", mode="demo")
    closed = AccountFactory.create(user=account.user, label=f"{name}-closed", is_active=False)
    TransferFactory.create(account=closed, address=f"{name}-wallet-address", tx_id=f"{name}-transaction")
    bitget = AccountFactory.create(user=account.user, label=f"{name}-bitget", exchange="bitget")
    OrderFactory.create(account=bitget, client_order_id=f"{name}-bitget-order")
    FillFactory.create(account=bitget, exchange_order_id=f"{name}-bitget-order", quantity=size)
    for kind in ("DEPOSIT", "WITHDRAWAL"):
        TransferFactory.create(account=bitget, kind=kind, tx_id=f"{name}-bitget-{kind}")
    TransferFactory.create(
        account=account, kind="INTERNAL", exchange_transfer_id=f"{name}-internal", to_wallet="futures"
    )
    entry = OrderFactory.create(
        account=account,
        client_order_id=f"{name}-client-order",
        group_id=f"{name}-group",
        role="ENTRY",
        note=f"{name}-note",
        strategy=f"{name}-strategy",
        quantity=size,
        price=Decimal(60000) * size,
    )
    OrderFactory.create(account=account, parent=entry, group_id=f"{name}-group", role="TP1", symbol="ETHUSDT")
    with tenancy.acting_as(account.user_id):
        ApiCredential.objects.create(
            user_id=account.user_id,
            account=account,
            api_key=f"cv1:{name}-sealed",
            api_key_hint=f"{name[:3]}!",
        )


def _export(account: ExchangeAccount) -> None:
    """A file of theirs."""
    asked = exports.Asked(kind="fills", format="csv", account=str(account.id))
    made = exports.request(user_id=account.user_id, asked=asked, at=clock.now())
    assert export_work.write(user_id=account.user_id, export_id=made.id, at=clock.now())


def _fill_the_rest(user: User, account: ExchangeAccount) -> None:
    """A row for every table that has none of theirs."""
    specimens = Specimens(user.id)
    with as_table_owner():
        for table in sorted(catalogue.read().tables):
            if table not in SHARED and (found := rows(table, user.id)):
                specimens.adopt(table, found[0])
        specimens.adopt("credentials_exchangeaccount", _row_of("credentials_exchangeaccount", account.pk))
        for table in sorted(catalogue.read().tables):
            if table not in SHARED:
                specimens.of(table)


def rows(table: str, owner: UUID) -> list[dict[str, Any]]:
    """The owner's rows of a table; as the owner of the tables."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE {condition(table)}", {"owner": owner})
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def condition(table: str, owner: str = "owner") -> str:
    """Which rows are `%(owner)s`'s. Raises AssertionError for a table that nobody said whose it is."""
    names = {column.name for column in catalogue.read().columns[table]}
    if table == "accounts_user":
        return f"id = %({owner})s"
    if "user_id" in names:
        return f"user_id = %({owner})s"
    assert "session_id" in names, f"say whose the rows of {table} are: SHARED, or a condition"
    return f"session_id IN (SELECT id FROM accounts_session WHERE user_id = %({owner})s)"


def _row_of(table: str, key: Any) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE id = %s", [key])
        names = [column.name for column in cursor.description or ()]
        return dict(zip(names, cursor.fetchone() or (), strict=True))


@contextmanager
def undone() -> Iterator[None]:
    """A transaction, around whatever opens its own, of which nothing stays."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # as TestCase does: durable blocks may open inside
    with block:
        yield
        transaction.set_rollback(True)


@contextmanager
def as_table_owner() -> Iterator[None]:
    """Policies do not bind the log-in role."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (role,) = cursor.fetchone() or ("",)
        cursor.execute("RESET ROLE")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")


@contextmanager
def _ids_from(first: int) -> Iterator[None]:
    """Rows of owned tables made in the block are numbered from `first`."""
    with as_table_owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.relname, coalesce(pg_sequence_last_value(s.oid), 1) FROM pg_class s"
            " JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i') JOIN pg_class t ON t.oid = d.refobjid"
            " WHERE s.relkind = 'S' AND t.relname = ANY(%s)",
            [[table for table in catalogue.read().tables if table not in SHARED]],
        )
        before = cursor.fetchall()
        for sequence, _ in before:
            cursor.execute("SELECT setval(%s, %s)", [sequence, first])
    yield
    with as_table_owner(), connection.cursor() as cursor:
        for sequence, last in before:
            cursor.execute("SELECT setval(%s, %s)", [sequence, last])


@cache
def first(table: str, owner: UUID, further: str = "true") -> Any:
    """The key of the owner's first row of a table."""
    with as_table_owner(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {table} WHERE {condition(table)} AND {further} ORDER BY id LIMIT 1",
            {"owner": owner},
        )
        (key,) = cursor.fetchone() or (None,)
        return key
