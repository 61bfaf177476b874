"""For every operation a request of its owner that works. The sweep starts from it and puts foreign values in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pyotp

from accounts import one_time
from accounts.models import User
from accounts.one_time import Purpose
from core import clock
from core.django import tenancy
from pipeline.models import CursorState, RunStatus, Stream, SyncCursor, SyncRun
from portfolio.models import ReconciliationItem
from tests.factories import PASSWORD
from tests.security.people import Person, first

Path = Callable[[Person], dict[str, Any]]
Body = Callable[[Person], dict[str, Any]]


def _nothing(_: Person) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Recipe:
    """`status`: of the answer to a person who owns rows. `path` and `body` give values that are the person's own."""

    status: int = 200
    path: Path = _nothing
    body: Body = _nothing
    query: dict[str, str] = field(default_factory=dict)
    owned: frozenset[str] = frozenset()
    """Values of query and body that name an owned row: a foreign one is answered 404."""
    proof: frozenset[str] = frozenset()
    """Secrets: whoever sends one has proved to be its owner."""
    prepare: Body = _nothing
    """Work to be done before; it answers members of the body that only it knows."""
    effects: frozenset[str] = frozenset()
    """Tables, and columns of users, where anybody's request may leave a trace with the owner of an e-mail."""


def _row(table: str, parameter: str) -> Path:
    return lambda person: {parameter: first(table, person.id)}


def account_of(person: Person) -> str:
    return str(first("credentials_exchangeaccount", person.id, f"label = '{person.name}-main'"))


def _last_day(person: Person) -> dict[str, Any]:
    curve = person.client.get("/api/portfolio/equity-curve?period=all_time").json()
    return {"day": curve["data_points"][-1]["date"] if curve["data_points"] else "2026-01-31"}


def _account(person: Person) -> dict[str, Any]:
    return {"account_id": account_of(person)}


def _ends_of_a_transfer(person: Person) -> dict[str, Any]:
    later = "kind = 'DEPOSIT' AND asset = 'USDT' AND occurred_at > '2026-02-01'"
    return {
        "outgoing_id": first("orders_transfer", person.id, "kind = 'WITHDRAWAL' AND asset = 'USDT'"),
        "incoming_id": first("orders_transfer", person.id, later),
    }


def _password(person: Person) -> dict[str, Any]:
    return {"password": person.password}


def _code(person: Person) -> dict[str, Any]:
    secret = person.client.post("/auth/two-factor").json()["secret"]
    return {"code": pyotp.TOTP(secret).now()}


def _second_factor(person: Person) -> dict[str, Any]:
    assert person.client.post("/auth/two-factor/confirm", _code(person)).status_code == 200
    return {}


def _mailed(purpose: Purpose) -> Body:
    return lambda person: {"token": one_time.issue(user_id=person.id, purpose=purpose, at=clock.now())}


def _unverified(person: Person) -> dict[str, Any]:
    User.objects.filter(id=person.id).update(is_verified=False)
    return {}


_item: Final = _row("portfolio_reconciliationitem", "item_id")


def _dismissed(person: Person) -> dict[str, Any]:
    """Whoever has a difference has dismissed it."""
    if item := _item(person)["item_id"]:
        answer = person.client.post(f"/api/reconciliation/{item}/dismiss", {"reason": "Known."})
        assert answer.status_code in (200, 409), answer.content
    return {}


def _readable(person: Person) -> dict[str, Any]:
    """Whoever has a difference has it open, and movements that were read to their end; nobody reads just now."""
    item = _item(person)["item_id"]
    with tenancy.acting_as(person.id):
        rows = ReconciliationItem.objects.filter(id=item)
        rows.update(state="open", resolved_at=None, cause="unknown")
        SyncRun.objects.filter(status=RunStatus.RUNNING).update(status=RunStatus.OK, finished_at=clock.now())
        for account_id in rows.values_list("account_id", flat=True):
            SyncCursor.objects.update_or_create(
                user_id=person.id,
                account_id=account_id,
                stream=Stream.DEPOSITS,
                scope="",
                defaults={"state": CursorState.INCREMENTAL, "due_at": clock.now()},
            )
    return {}


_TRAIL: Final = frozenset({"accounts_auditlog"})
_SCOPED: Final = Recipe(owned=frozenset({"account"}))
_AT_BINANCE: Final = Recipe(path=lambda person: {"exchange": "binance"}, owned=frozenset({"account"}))
_REFRESH: Final = frozenset({"refresh_token"})
_NEW_KEY: Final = {"exchange": "binance", "apiKey": "k" * 64, "secretKey": "s" * 64}

RECIPES: Final[dict[str, Recipe]] = {
    # session
    "POST /auth/login": Recipe(
        body=lambda person: {"email": person.user.email, "password": person.password}, effects=_TRAIL
    ),
    "POST /auth/refresh": Recipe(body=lambda person: {"refresh_token": person.refresh_token}, proof=_REFRESH),
    "POST /auth/logout": Recipe(
        204, body=lambda person: {"refresh_token": person.refresh_token}, proof=_REFRESH
    ),
    "POST /auth/logout-everywhere": Recipe(204, body=lambda person: {"keep_current": True}),
    "GET /auth/sessions": Recipe(),
    "DELETE /auth/sessions/{session_id}": Recipe(204, path=_row("accounts_session", "session_id")),
    "POST /auth/step-up": Recipe(204, body=_password),
    "GET /auth/two-factor": Recipe(),
    "POST /auth/two-factor": Recipe(201),
    "DELETE /auth/two-factor": Recipe(204, prepare=_second_factor),
    "POST /auth/two-factor/confirm": Recipe(prepare=_code),
    "POST /auth/two-factor/recovery-codes": Recipe(201, prepare=_second_factor),
    "GET /auth/api-tokens": Recipe(),
    "POST /auth/api-tokens": Recipe(201, body=lambda person: {"name": "program", "expires_in_days": 1}),
    "DELETE /auth/api-tokens/{token_id}": Recipe(204, path=_row("accounts_apitoken", "token_id")),
    # users
    "GET /user/me": Recipe(),
    "PATCH /user/me": Recipe(body=lambda person: {"name": "Renamed"}),
    "DELETE /user/me": Recipe(204, body=_password),
    "POST /user/verify-email": Recipe(204, prepare=_mailed(Purpose.VERIFY)),
    "POST /user/resend-verification": Recipe(202, prepare=_unverified),
    "POST /user/change-password": Recipe(
        204,
        body=lambda person: {"current_password": person.password, "new_password": "another horse battery"},
    ),
    "POST /user/change-email": Recipe(202, body=lambda person: {"email": f"other@{person.name}.example"}),
    "POST /user/confirm-email": Recipe(204, prepare=_mailed(Purpose.EMAIL)),
    "POST /auth/forgot-password": Recipe(
        202,
        body=lambda person: {"email": person.user.email},
        effects=_TRAIL | {"secret_token", "secret_token_created_at"},
    ),
    "POST /auth/reset-password": Recipe(
        204, body=lambda person: {"password": "another horse battery"}, prepare=_mailed(Purpose.RESET)
    ),
    "POST /user/register-user": Recipe(
        201,
        body=lambda person: {"email": f"second@{person.name}.example", "password": PASSWORD, "name": "New"},
    ),
    # credentials
    "POST /api-credentials/save-credentials": Recipe(201, body=lambda person: _NEW_KEY),
    "GET /api-credentials/user/{user_id}": Recipe(path=lambda person: {"user_id": person.id}),
    "PUT /api-credentials/{account_id}": Recipe(path=_account, body=lambda person: {"label": "renamed"}),
    "DELETE /api-credentials/{account_id}": Recipe(204, path=_account),
    # facts and books
    "GET /api/fills": _SCOPED,
    "GET /api/orders": _SCOPED,
    "GET /api/funding": _SCOPED,
    "GET /api/orders/{order_id}": Recipe(path=_row("orders_order", "order_id")),
    "PATCH /api/orders/{order_id}": Recipe(
        path=_row("orders_order", "order_id"), body=lambda person: {"strategy": "swing", "tags": ["a"]}
    ),
    "GET /api/strategies/prefixes": Recipe(),
    "POST /api/strategies/prefixes": Recipe(
        201, body=lambda person: {"prefix": "swing-", "strategy": "swing"}
    ),
    "DELETE /api/strategies/prefixes/{prefix_id}": Recipe(
        204, path=_row("orders_strategyprefix", "prefix_id")
    ),
    "PATCH /api/transfers/{transfer_id}": Recipe(
        path=lambda person: {"transfer_id": first("orders_transfer", person.id, "kind = 'DEPOSIT'")},
        body=lambda person: {"cost": "12.5", "note": "gift"},
    ),
    "GET /api/own-transfers": Recipe(),
    "POST /api/own-transfers": Recipe(201, body=_ends_of_a_transfer),
    "POST /api/own-transfers/{pair_id}/confirm": Recipe(path=_row("orders_owntransfer", "pair_id")),
    "POST /api/own-transfers/{pair_id}/reject": Recipe(path=_row("orders_owntransfer", "pair_id")),
    "GET /api/balances": _SCOPED,
    "GET /api/brackets": _SCOPED,
    "GET /api/brackets/{order_id}": Recipe(
        path=lambda person: {"order_id": first("orders_order", person.id, "role = 'ENTRY'")}
    ),
    "GET /api/fees": _SCOPED,
    "GET /api/fees/summary": _SCOPED,
    "GET /api/positions/open": _SCOPED,
    "GET /api/positions/reported": _SCOPED,
    "GET /api/performance/metrics": _SCOPED,
    "GET /api/performance/strategies": _SCOPED,
    "GET /api/portfolio/snapshot": _SCOPED,
    "GET /api/portfolio/equity-curve": _SCOPED,
    "GET /api/trades/history": _SCOPED,
    "GET /api/trades/pairs": _SCOPED,
    "GET /api/trades/{trade_id}": Recipe(path=_row("portfolio_trade", "trade_id")),
    "GET /api/explain/trade/{trade_id}": Recipe(path=_row("portfolio_trade", "trade_id")),
    "GET /api/explain/position/{position_id}": Recipe(path=_row("portfolio_position", "position_id")),
    "GET /api/explain/snapshot/{snapshot_id}": Recipe(
        path=_row("portfolio_portfoliosnapshot", "snapshot_id")
    ),
    "GET /api/explain/metric/{metric_id}": Recipe(path=_row("portfolio_performancemetric", "metric_id")),
    "GET /api/explain/day/{day}": Recipe(path=_last_day, owned=frozenset({"account"})),
    "GET /api/trades/{trade_id}/explain": Recipe(path=_row("portfolio_trade", "trade_id")),
    "GET /api/connectivity": Recipe(),
    "GET /api/sync": Recipe(),
    "POST /api/sync": Recipe(202, owned=frozenset({"account"})),
    "GET /api/sync/{run_id}": Recipe(path=_row("pipeline_syncrun", "run_id")),
    "GET /api/exports": Recipe(),
    "POST /api/exports": Recipe(
        202,
        body=lambda person: {"kind": "fills", "format": "csv", "account": account_of(person)},
        owned=frozenset({"account"}),
    ),
    "GET /api/exports/{export_id}": Recipe(path=_row("pipeline_export", "export_id")),
    "GET /api/exports/{export_id}/download": Recipe(path=_row("pipeline_export", "export_id")),
    "DELETE /api/exports/{export_id}": Recipe(204, path=_row("pipeline_export", "export_id")),
    "GET /api/coverage": _SCOPED,
    "GET /api/reconciliation": _SCOPED,
    "GET /api/reconciliation/{item_id}": Recipe(path=_item),
    "POST /api/reconciliation/{item_id}/dismiss": Recipe(
        path=_item, body=lambda person: {"reason": "Known."}
    ),
    "POST /api/reconciliation/{item_id}/reopen": Recipe(path=_item, prepare=_dismissed),
    "POST /api/reconciliation/{item_id}/read-again": Recipe(202, path=_item, prepare=_readable),
    "GET /api/audit": Recipe(),
    # exchanges
    "GET /{exchange}/account-info": _AT_BINANCE,
    "GET /{exchange}/user-assets": _AT_BINANCE,
    "GET /{exchange}/open-orders": _AT_BINANCE,
    "GET /{exchange}/order-history": _AT_BINANCE,
    "GET /{exchange}/account-snapshot": _AT_BINANCE,
    "GET /{exchange}/deposit-history": _AT_BINANCE,
    "GET /{exchange}/withdraw-history": _AT_BINANCE,
    "GET /{exchange}/transfer-history": _AT_BINANCE,
    "GET /{exchange}/trade-fills": _AT_BINANCE,
    "GET /{exchange}/tickers": Recipe(path=lambda person: {"exchange": "binance"}),
    "GET /bitget/order/all-open-orders": _SCOPED,
    "GET /bitget/order/trade-fills": _SCOPED,
    "GET /bitget/account/spot/assets": _SCOPED,
    "GET /bitget/deposit-records": _SCOPED,
    "GET /bitget/withdrawal-records": _SCOPED,
    # the server
    "GET /health/live": Recipe(),
    "GET /health/ready": Recipe(),
}
