"""Who acts, as the rest of the code sees it."""

import os
import subprocess
import sys
from pathlib import Path

from core.django import actors
from core.django.actors import ActorKind

ROOT = Path(__file__).resolve().parents[2]


def test_a_command_acts_under_its_name_with_an_id_of_its_own() -> None:
    with actors.running_command("sync"):
        one = actors.current()
    with actors.running_command("sync"):
        other = actors.current()

    assert (one.kind, one.user_agent, one.user_id) == (ActorKind.COMMAND, "manage.py sync", None)
    assert one.request_id != other.request_id


def test_whoever_starts_manage_py_acts_as_a_command() -> None:
    program = "from core.django import actors; print(actors.current().kind, actors.current().user_agent)"
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "--command", program],
        cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.strip() == "command manage.py shell"
