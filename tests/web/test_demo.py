"""The demo user: connected once, kept while its world goes on, replaced when the world is another."""

import json
from pathlib import Path

import pytest

from accounts.models import User
from core import clock
from credentials import accounts
from web import demo

pytestmark = pytest.mark.django_db


def told(path: Path, *, key: str) -> Path:
    path.write_text(json.dumps({"accounts": {"demo": {"api_key": key, "api_secret": "s" * 64}}}))
    return path


def start(truth: Path) -> tuple[User, bool]:
    """As `make run` does."""
    demo.part_with_another_world(truth=truth, at=clock.now())
    user = demo.ensure_user(password="a long enough one")
    return user, demo.ensure_connected(user=user, truth=truth, at=clock.now())


def test_the_next_start_finds_everything_as_it_was(tmp_path: Path) -> None:
    truth = told(tmp_path / "truth.json", key="k" * 60 + "aaaa")
    user, is_new = start(truth)
    assert (start(truth), is_new) == ((user, False), True)


def test_a_user_of_another_world_makes_room_for_a_fresh_one(tmp_path: Path) -> None:
    old, _ = start(told(tmp_path / "truth.json", key="k" * 60 + "aaaa"))
    new, is_new = start(told(tmp_path / "truth.json", key="k" * 60 + "bbbb"))
    old.refresh_from_db()
    assert (new.id != old.id, is_new, old.is_deleted) == (True, True, True)
    assert accounts.list_for(user_id=old.id) == []
    assert [one.masked_key[-4:] for one in accounts.list_for(user_id=new.id)] == ["bbbb"]
