"""The demo user: made once, connected to the simulated exchange, synced like anybody."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from accounts import profile
from accounts.models import User
from core.django import actors, tenancy
from credentials import accounts
from credentials.models import ExchangeAccount, KeyState
from web import connections

EMAIL = "demo@example.com"
LABEL = "Demo (simulated Binance)"


def ensure_user(*, password: str | None) -> User:
    """The demo user, with this password if one is given."""
    user = User.objects.filter(email=EMAIL, is_deleted=False).first()
    if user is None:
        user = User(email=EMAIL, name="Demo Trader", is_verified=True, is_staff=False)
    if password is not None:
        user.set_password(password)
    with actors.stamped():
        user.save()
    return user


def part_with_another_world(*, truth: Path, at: datetime) -> None:
    """Close a demo user whose account is of a world that the simulator does not know: a fresh one takes its
    place, as its history would go on with another's."""
    user = User.objects.filter(email=EMAIL, is_deleted=False).first()
    if user is None:
        return
    key = _keys(truth)["api_key"]
    with tenancy.acting_as(user.id):
        mine = accounts.list_for(user_id=user.id)
        strange = [
            one for one in mine if one.account.label == LABEL and one.masked_key[-4:] not in ("", key[-4:])
        ]
        if strange:
            for one in mine:
                accounts.close(user_id=user.id, account_id=one.account.id)
            with actors.stamped():  # without the mail that a person gets
                User.objects.filter(id=user.id).update(
                    is_deleted=True, is_active=False, deleted_at=at, email=profile.erased_email(user.id)
                )


def ensure_connected(*, user: User, truth: Path, at: datetime) -> bool:
    """Connect the simulator's demo account unless it is; answers whether it had to. A sync starts by itself.

    A key that was refused meanwhile (the account was synced without its simulator) is given anew.
    """
    pair = _keys(truth)
    with tenancy.acting_as(user.id):
        account = ExchangeAccount.objects.filter(label=LABEL, is_active=True).first()
    if account is None:
        connections.connect(user_id=user.id, exchange="binance", label=LABEL, at=at, **pair)
        return True
    if account.key_state in (KeyState.FAILING, KeyState.DISABLED):
        connections.update(user_id=user.id, account_id=account.id, at=at, **pair)
    return False


def _keys(truth: Path) -> dict[str, Any]:
    keys = json.loads(truth.read_text())["accounts"]["demo"]
    return {"api_key": keys["api_key"], "secret_key": keys["api_secret"]}
