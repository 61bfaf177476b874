"""Production settings as a whole, in a process of their own."""

import base64
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "PATH": os.environ["PATH"],
    "PRODUCTION": "1",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "JWT_TOKEN_SECRET": secrets.token_urlsafe(64),
    "CREDENTIAL_ENCRYPTION_KEYS": f"a:{base64.b64encode(secrets.token_bytes(32)).decode()}",
    "ALLOWED_HOSTS": "trader.example.com",
    "DATABASE_URL": "postgres://cgt:x@/cgt?host=/var/run/postgresql",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
}


def run(*arguments: str, **changed: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT, env={**PRODUCTION, **changed}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def setting(name: str, **changed: str) -> str:
    """A setting as text. The settings alone are read: that is where refusals are made."""
    code, told = run("-c", f"from config import settings; print(settings.{name})", **changed)
    assert code == 0, told
    return told.strip()


def test_djangos_deployment_check_has_nothing_to_say() -> None:
    code, told = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")

    assert (code, told) == (0, "System check identified no issues (1 silenced).\n")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"DEBUG": "1"}, "DEBUG"),
        ({"SECRET_KEY": "weak"}, "SECRET_KEY"),
        ({"JWT_TOKEN_SECRET": PRODUCTION["SECRET_KEY"]}, "JWT_TOKEN_SECRET"),
        ({"JWT_TOKEN_SECRET": ""}, "JWT_TOKEN_SECRET"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": ".com"}, "ALLOWED_HOSTS"),
        ({"EXCHANGE_URLS": "binance=http://127.0.0.1:9001"}, "EXCHANGE_URLS"),
        ({"SITE_URL": "http://trader.example.com"}, "SITE_URL"),
        ({"CORS_ALLOWED_ORIGINS": "http://app.example.com"}, "CORS_ALLOWED_ORIGINS"),
        ({"EMAIL_URL": "consolemail://"}, "EMAIL_URL"),
        ({"DATABASE_URL": "postgres://cgt:canary@db.example.com:5432/cgt"}, "sslmode"),
        ({"CREDENTIAL_ENCRYPTION_KEYS": ""}, "CREDENTIAL_ENCRYPTION_KEYS"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT"),
        ({"RATE_LIMIT": "many"}, "RATE_LIMIT"),
        ({"RATE_LIMIT_SENSITIVE": "10/fortnight"}, "RATE_LIMIT_SENSITIVE"),
    ],
)
def test_an_unsafe_environment_does_not_start(changed: dict[str, str], named: str) -> None:
    code, told = run("-c", "import config.settings", **changed)

    assert code != 0
    assert named in told.splitlines()[-1]
    assert "canary" not in told.splitlines()[-1]


def test_sslmode_reaches_the_driver() -> None:
    url = "postgres://cgt:x@db.example.com:5432/cgt?sslmode=verify-full&sslrootcert=/etc/ca.pem"

    told = setting("DATABASES['default']['OPTIONS']", DATABASE_URL=url)

    assert "'sslmode': 'verify-full'" in told
    assert "'sslrootcert': '/etc/ca.pem'" in told
    assert "'assume_role': 'cgt_app'" in told


def test_without_an_address_of_its_own_mail_leads_to_the_first_host() -> None:
    assert setting("SITE_URL") == "https://trader.example.com"
    assert setting("SITE_URL", SITE_URL="") == "https://trader.example.com"
    assert setting("SITE_URL", SITE_URL="https://app.example.com/") == "https://app.example.com"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("web", "-c statement_timeout=8s -c lock_timeout=3s -c idle_in_transaction_session_timeout=30s"),
        (
            "worker",
            "-c statement_timeout=300s -c lock_timeout=30s -c idle_in_transaction_session_timeout=600s",
        ),
        ("command", "-c statement_timeout=0s -c lock_timeout=0s -c idle_in_transaction_session_timeout=0s"),
    ],
)
def test_each_kind_of_process_has_its_patience(kind: str, expected: str) -> None:
    assert setting("DATABASES['default']['OPTIONS']['options']", PROCESS_KIND=kind) == expected


def test_logs_are_json_unless_asked_for_lines() -> None:
    assert setting("LOGGING['handlers']['console']['formatter']") == "json"
    assert setting("LOGGING['handlers']['console']['formatter']", LOG_FORMAT="line") == "line"
    assert setting("LOGGING['handlers']['console']['filters']") == "['actor', 'redaction']"
