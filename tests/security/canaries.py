"""A journey past everything that handles secrets; what was answered, logged, mailed and queued on the way is kept."""

import base64
import io
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qs, quote, quote_plus, urlencode, urlsplit

import pyotp
import pytest
import redis
import requests
from django.conf import settings
from django.contrib import admin
from django.core import mail
from django.db import connection
from django.urls import URLPattern, reverse

from core import clock
from credentials.models import ExchangeAccount
from exchanges.simulators import profiles
from exchanges.simulators.binance import BinanceSimulator
from exchanges.simulators.clock import RealClock
from pipeline import broker, live, runs, tasks
from pipeline.models import Trigger
from tests.clients import PageClient
from tests.factories import UserFactory
from tests.pipeline.worlds import NO_LIMITS
from tests.security.operations import operations
from tests.security.people import Person, as_table_owner, undone
from tests.security.recipes import RECIPES, account_of
from web.urls import urlpatterns as pages

QUEUE: Final = "canaries"
PASSPHRASE: Final = "Passphrase-of-a-canary-9f31"
# What an exchange or the way to it does while the account is synced.
FAULTS: Final[tuple[Mapping[str, Any], ...]] = (
    {"action": "revoked_key", "times": 1},
    {"action": "bad_signature", "times": 1},
    {"action": "bad_gateway", "times": 1},
    {"action": "truncate", "times": 1},
    {"action": "reset", "times": 1},
)


@dataclass
class Journey:
    """`secrets` by what they are; the texts by where they were found."""

    secrets: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    mails: dict[str, str] = field(default_factory=dict)
    redis: dict[str, str] = field(default_factory=dict)
    log: io.StringIO = field(default_factory=io.StringIO)

    def note(self, what: str, answer: Any) -> Any:
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.answers[what] = f"{headers}\n{body.decode('utf-8', 'replace')}"
        return answer


def told(texts: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
    """Which secrets stand where, in any of the forms they travel in."""
    found = []
    for what, secret in secrets.items():
        forms = _forms(secret)
        found += [
            f"{what} in {where}" for where, text in texts.items() if any(form in text for form in forms)
        ]
    return found


def _forms(secret: str) -> set[str]:
    raw = secret.encode()
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    # Inside a longer base64 text it looks otherwise, by where it begins; its ends mix with the neighbours.
    for shift in (1, 2):
        encoded |= {base64.b64encode(b"\0" * shift + raw).decode()[4:-4]}
    return {
        secret,
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        raw.hex(),
        *(text.rstrip("=") for text in encoded),
    }


def travel(people: list[Person], journey: Journey, patch: pytest.MonkeyPatch) -> None:
    """All of it. `people` are Alice, Robert and Caroline of this folder."""
    patch.setattr("accounts.mail.transaction.on_commit", lambda work, **_: work())
    alice, _, caroline = people
    journey.secrets |= {
        "password": alice.password,
        "access token": alice.access_token,
        "refresh token": alice.refresh_token,
    }
    _make_tokens(journey, alice, caroline)
    with _exchange(patch) as simulator:
        account = _connect(journey, alice, simulator)
        _run_tasks(journey, account, simulator, patch)
        _ask_everything(journey, alice)
    _refuse_everything(journey, alice)
    _break(journey, alice, patch)
    _look_at_pages(journey, alice)
    _look_at_admin(journey)


def _make_tokens(journey: Journey, alice: Person, caroline: Person) -> None:
    """Answers that show a secret once, to its owner, are not noted."""
    made = alice.client.post("/auth/api-tokens", {"name": "canary", "expires_in_days": 1})
    journey.secrets["API token"] = made.json()["token"]
    set_up = caroline.client.post("/auth/two-factor").json()
    journey.secrets["TOTP secret"] = set_up["secret"]
    code = pyotp.TOTP(set_up["secret"]).now()
    codes = caroline.client.post("/auth/two-factor/confirm", {"code": code}).json()["recovery_codes"]
    journey.secrets |= {f"recovery code {number}": one for number, one in enumerate(codes)}
    journey.note(
        "forgotten password", alice.client.post("/auth/forgot-password", {"email": alice.user.email})
    )
    text = str(mail.outbox[-1].body)
    link = next(word for word in text.split() if "token=" in word)
    journey.secrets["mailed token"] = parse_qs(urlsplit(link).query)["token"][0]


@contextmanager
def _exchange(patch: pytest.MonkeyPatch) -> Iterator[BinanceSimulator]:
    """A simulated one whose history is short."""
    profile = profiles.QUIET.shortened(5)
    with BinanceSimulator(seed=7, clock=RealClock(), profiles=(profile,), limits=NO_LIMITS) as simulator:
        patch.setattr(settings, "EXCHANGE_URLS", f"binance={simulator.url}")
        patch.setattr("exchanges.binance.walks.OPENED", clock.now() - timedelta(days=10))
        yield simulator


def _connect(journey: Journey, alice: Person, simulator: BinanceSimulator) -> ExchangeAccount:
    theirs = next(iter(simulator.accounts.values()))
    journey.secrets |= {
        "API key": theirs.api_key,
        "API secret": theirs.api_secret,
        "passphrase": PASSPHRASE,
    }
    body = {
        "exchange": "binance", "label": "canaries", "apiKey": theirs.api_key, "secretKey": theirs.api_secret,
        "passphrase": PASSPHRASE,
    }  # fmt: skip
    answer = journey.note("keys saved", alice.client.post("/api-credentials/save-credentials", body))
    assert answer.status_code == 201, answer.content
    return ExchangeAccount.unscoped.model(id=answer.json()["id"], user_id=alice.id)


def _run_tasks(
    journey: Journey, account: ExchangeAccount, simulator: BinanceSimulator, patch: pytest.MonkeyPatch
) -> None:
    """Every task, in good times and bad; then with a library that tells all it knows."""
    ids = [str(account.id)]
    tasks.check_keys(ids)
    for fault in (*FAULTS, {}):
        if fault:
            simulator.faults.add(**fault)
        runs.request(user_id=account.user_id, account_ids=[account.id], trigger=Trigger.USER, at=clock.now())
        tasks.sync_accounts(ids)
    for name, task in sorted(broker.app.tasks.items()):
        if not name.startswith("celery."):
            task(*_arguments(name, account))
            broker.hint(name, [ids], queue=QUEUE)

    def tell(self: requests.Session, request: requests.PreparedRequest, **_: Any) -> None:
        raise RuntimeError(f"{request.method} {request.url} {dict(request.headers)}")

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(requests.Session, "send", tell)
        runs.request(user_id=account.user_id, account_ids=[account.id], trigger=Trigger.USER, at=clock.now())
        tasks.sync_accounts(ids)


def _arguments(task: str, account: ExchangeAccount) -> list[Any]:
    if task == broker.LIVE_TASK:
        reading = live.Reading(live.What.BALANCES, "binance", user_id=account.user_id, account_id=account.id)
        return [reading.words(), "nobody waits"]
    return [[str(account.id)]] if task in (broker.SYNC_TASK, broker.CHECK_TASK) else []


def _ask_everything(journey: Journey, alice: Person) -> None:
    """Every operation as its recipe has it, by a session and by an API token."""
    headers = {"HTTP_AUTHORIZATION": f"Bearer {journey.secrets['API token']}"}
    for operation in operations():
        recipe = RECIPES[str(operation)]
        path = operation.path.format(**recipe.path(alice))
        for who, more in (("session", {}), ("API token", headers)):
            with undone():
                body = {**recipe.prepare(alice), **recipe.body(alice)} if operation.takes_body else None
                answer = getattr(alice.client, operation.method)(path, body, **more)
                journey.note(f"{operation} by {who}", answer)


def _refuse_everything(journey: Journey, alice: Person) -> None:
    """Secrets where they do not belong: refusals do not repeat them."""
    secrets = list(journey.secrets.values())
    query = urlencode({f"unknown{number}": secret for number, secret in enumerate(secrets)})
    for operation in operations():
        path = operation.path.format(**RECIPES[str(operation)].path(alice))
        ask = getattr(alice.client, operation.method)
        names = [value.name for value in operation.of("body")]
        with undone():
            if names:
                journey.note(f"{operation} refused body", ask(path, dict.fromkeys(names, secrets)))
            journey.note(f"{operation} refused query", ask(f"{path}?{query}"))
        with undone():
            text = json.dumps({"password": alice.password, "apiKey": journey.secrets["API key"]})[:-1]
            answer = alice.client.generic(operation.method, path, text, content_type="application/json")
            journey.note(f"{operation} refused text", answer)
            answer = ask(path, HTTP_AUTHORIZATION=f"Bearer {alice.access_token}x")
            journey.note(f"{operation} refused token", answer)


def _break(journey: Journey, alice: Person, patch: pytest.MonkeyPatch) -> None:
    """Views break with secrets in their hands; the error's own text says nothing."""
    assert not settings.DEBUG
    client = PageClient(raise_request_exception=False)
    with pytest.MonkeyPatch.context() as broken:
        for target in ("accounts.proofs.identify", "web.connections.connect", "web.connections.update"):
            broken.setattr(target, _broken)
        requests_ = (
            ("POST /auth/login", alice.client, "/auth/login"),
            ("POST /api-credentials/save-credentials", alice.client, "/api-credentials/save-credentials"),
        )
        for name, who, path in requests_:
            answer = journey.note(
                f"{name} broken", who.post(path, _with_keys(journey, RECIPES[name].body(alice)))
            )
            assert answer.status_code == 500, answer.content
        form = {"email": alice.user.email, "username": alice.user.email, "password": alice.password}
        assert journey.note("log-in page broken", client.post("/login", form)).status_code == 500
        client.force_login(alice.user)
        journey.note(
            "connect page broken", client.post("/connect", _with_keys(journey, {"exchange": "binance"}))
        )


def _with_keys(journey: Journey, body: dict[str, Any]) -> dict[str, Any]:
    if "exchange" not in body:
        return body
    return {**body, "apiKey": journey.secrets["API key"], "secretKey": journey.secrets["API secret"]}


def _broken(*_: Any, **__: Any) -> None:
    raise RuntimeError("broken on purpose")


def _look_at_pages(journey: Journey, alice: Person) -> None:
    client = PageClient(raise_request_exception=False)
    client.force_login(alice.user)
    refused = {"exchange": "nowhere", "label": "x", "secretKey": journey.secrets["API secret"]}
    journey.note("connect page refused", client.post("/connect", refused))
    for page in pages:
        assert isinstance(page, URLPattern)
        known = {"account_id": account_of(alice), "trade_id": 7_100_000_000_001, "name": "sync"}
        known |= {"kind": "trade", "row_id": "7100000000001", "export_id": 7_100_000_000_001}
        wanted = {name: value for name, value in known.items() if name in page.pattern.converters}
        path = reverse(f"web:{page.name}", kwargs=wanted)
        if page.name not in ("logout", "sync"):
            journey.note(f"page {path}", client.get(path))


def _look_at_admin(journey: Journey) -> None:
    client = PageClient(raise_request_exception=False)
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert journey.note(f"{name} list", client.get(reverse(f"{name}_changelist"))).status_code == 200
        for key in _keys(model._meta.db_table, str(model._meta.pk.column)):
            journey.note(f"{name} {key}", client.get(reverse(f"{name}_change", args=[key])))


def _keys(table: str, column: str) -> Iterable[Any]:
    with as_table_owner(), connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY {column} DESC LIMIT 3")
        return [key for (key,) in cursor.fetchall()]


@contextmanager
def everything_logged(stream: io.StringIO) -> Iterator[None]:
    """Every logger at DEBUG, as handlers write it, tracebacks included."""
    handler = logging.StreamHandler(stream)
    configured = logging.getLogger().handlers[0]
    for one in configured.filters:
        handler.addFilter(one)
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    levels = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        for logger, level in levels:
            logger.setLevel(level)


def redis_texts() -> dict[str, str]:
    """Every key with its value."""
    store = redis.Redis.from_url(settings.REDIS_URL)
    reads: dict[Any, Any] = {
        b"string": store.get,
        b"list": lambda key: store.lrange(key, 0, -1),
        b"set": store.smembers,
        b"hash": store.hgetall,
        b"zset": lambda key: store.zrange(key, 0, -1),
    }
    return {f"Redis {key!r}": f"{key!r} {reads[store.type(key)](key)!r}" for key in store.scan_iter()}


def database_texts() -> dict[str, str]:
    """Every table, Django's own included; bytes as hex."""
    texts = {}
    with as_table_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT t::text FROM {table} t")
            texts[f"table {table}"] = "\n".join(row for (row,) in cursor.fetchall())
    return texts


def forget_queue() -> None:
    redis.Redis.from_url(settings.REDIS_URL).delete(QUEUE)
