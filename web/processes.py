"""Child processes of `make run`: they die with their parent, write to log files, and are stopped together."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_STOP_SECONDS: Final = 10


class ChildDied(RuntimeError):
    """A process of the stack ended by itself; its log says why."""


class Stack:
    """The running children by name."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self._logs = logs
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._spared: set[str] = set()
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, command: Sequence[str]) -> None:
        with open(self.log(name), "wb") as log:
            self._children[name] = subprocess.Popen(
                command, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                preexec_fn=_die_with_parent, start_new_session=True,  # noqa: PLW1509  (no threads here)
            )  # fmt: skip

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def spare(self, name: str) -> None:
        """From now on the others go on without this child."""
        self._spared.add(name)

    def check(self) -> list[str]:
        """The spared children that have ended since the last look. Raises ChildDied if any other child has."""
        ended = [name for name, child in self._children.items() if child.poll() is not None]
        for name in set(ended) - self._spared:
            code, tail = self._children[name].returncode, self.log(name).read_text(errors="replace")[-1500:]
            raise ChildDied(f"{name} ended with code {code}. The end of its log:\n{tail}")
        for name in ended:
            del self._children[name]
        return ended

    def stop(self) -> None:
        """Ask every child's whole session to end, then make it."""
        for child in self._children.values():
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        for child in self._children.values():
            try:
                child.wait(timeout=max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                _signal(child, signal.SIGKILL)
                child.wait()


def raise_on_termination() -> None:
    """Let SIGTERM end the process as Ctrl-C does, with everything cleaned up."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


def free_port(preferred: int) -> int:
    """The first port from `preferred` on that nobody listens on, on the loopback address."""
    for port in range(preferred, preferred + 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"No free port from {preferred} to {preferred + 199}.")


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)


def _die_with_parent() -> None:
    """Linux: a killed parent takes its children along. Elsewhere Ctrl-C and SIGTERM do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
