"""Running in the foreground until told to stop."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from exchanges.simulators import command

RUN = """
import sys
from pathlib import Path
from exchanges.simulators import command
command.run("binance", 0, int(sys.argv[1]), Path(sys.argv[2]), lambda url: print(url, flush=True))
"""


@contextmanager
def running(seed: int, path: Path) -> Iterator["subprocess.Popen[str]"]:
    arguments = [sys.executable, "-c", RUN, str(seed), str(path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        yield process
        process.send_signal(signal.SIGTERM)


def told(path: Path) -> Any:
    return json.loads(path.read_text())


def test_it_tells_the_truth_serves_and_ends_at_sigterm(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    with running(4, path) as process:
        assert set(told(path)["accounts"]) == {"demo", "holes", "quiet"}
        assert os.stat(path).st_mode & 0o077 == 0
    assert process.returncode == 0


def test_a_restart_goes_on_with_the_same_world(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    with running(4, path):
        first = told(path)
    with running(4, path):
        second = told(path)
    assert second["live_from"] == first["live_from"]
    assert second["accounts"]["quiet"] == first["accounts"]["quiet"]


def test_another_seed_makes_another_world(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text('{"exchange": "binance", "seed": 3, "live_from": "2020-01-01T00:00:00+00:00"}')
    with running(4, path):
        assert told(path)["live_from"] > "2026"


def test_other_people_make_another_world(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text(
        '{"exchange": "binance", "seed": 4, "people": "gone", "live_from": "2020-01-01T00:00:00+00:00"}'
    )
    with running(4, path):
        assert told(path)["live_from"] > "2026"


def test_an_unknown_exchange_is_refused() -> None:
    with pytest.raises(command.UnknownSimulator):
        command.run("nowhere", 0, 1, None, lambda url: None)
