"""The container files are validated without an engine."""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
VARIABLES = (
    "SECRET_KEY",
    "JWT_TOKEN_SECRET",
    "CREDENTIAL_ENCRYPTION_KEYS",
    "ALLOWED_HOSTS",
    "POSTGRES_PASSWORD",
    "EMAIL_URL",
)


def _compose(variables: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | dict.fromkeys(
        variables, "x"
    )
    command = [str(BIN / "docker-compose"), "--project-directory", str(ROOT), "config", "--quiet"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_compose_file_is_valid() -> None:
    done = _compose(VARIABLES)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_compose_file_refuses_to_start_without_secrets() -> None:
    for missing in VARIABLES:
        done = _compose(tuple(name for name in VARIABLES if name != missing))
        assert f"set {missing} in .env" in done.stderr


def test_the_dockerfile_passes_its_linter() -> None:
    done = subprocess.run(
        [BIN / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_no_embedded_server_is_in_the_production_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()

    assert "requirements/embedded.*" in ignored
    assert "embedded" not in (ROOT / "requirements" / "base.txt").read_text()


def test_no_lock_file_names_an_address() -> None:
    locks = (ROOT / "requirements").glob("*.txt")

    assert [path.name for path in locks if "://" in path.read_text()] == []


def test_the_image_asks_for_its_health_by_a_host_it_answers_to() -> None:
    """Any other name is refused with 400, and the container would never be healthy."""
    hosts: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hosts.append(self.headers["Host"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    found = re.search(r"HEALTHCHECK[^\[]*CMD (\[.*\])", (ROOT / "Dockerfile").read_text())
    assert found is not None
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        command = [part.replace(":8000", f":{server.server_port}") for part in json.loads(found.group(1))]
        environment = {"ALLOWED_HOSTS": "trader.example.com,other.example.com"}
        subprocess.run([sys.executable, *command[1:]], env=environment, timeout=20, check=True)

    assert hosts == ["trader.example.com"]
