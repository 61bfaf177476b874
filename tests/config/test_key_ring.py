"""Production does not start with a key ring that must not be used, and never shows a key when it says why."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.vault import generate_key

ROOT = Path(__file__).parents[2]
KEY, OTHER = generate_key(), generate_key()
SETTINGS = {
    "PRODUCTION": "1",
    "SECRET_KEY": "0123456789abcdefghij" * 3,
    "JWT_TOKEN_SECRET": "jihgfedcba9876543210" * 3,
    "ALLOWED_HOSTS": "example.com",
    "DATABASE_URL": "postgres:///x",
    "EMAIL_URL": "dummymail://",
}


def _start(**environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", "from django.conf import settings; print(settings.VAULT.primary)"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "config.settings",
            **SETTINGS,
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_good_ring_starts(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"file:{KEY}")
    path.chmod(0o600)

    assert _start(CREDENTIAL_ENCRYPTION_KEYS=f"a:{KEY},b:{OTHER}") == (0, "a\n")
    assert _start(CREDENTIAL_ENCRYPTION_KEYS_FILE=str(path)) == (0, "file\n")


@pytest.mark.parametrize(
    ("ring", "told"),
    [
        ("", "CREDENTIAL_ENCRYPTION_KEYS"),
        (f"a:{base64.b64encode(bytes(16)).decode()}", "16 bytes"),
        (f"a:{base64.b64encode(bytes(32)).decode()}", "all zero"),
        (f"a:{KEY},b:{KEY}", "twice"),
        (KEY, "id:base64"),
    ],
    ids=["missing", "short", "zero", "reused", "nameless"],
)
def test_a_bad_ring_does_not_start(ring: str, told: str) -> None:
    code, output = _start(CREDENTIAL_ENCRYPTION_KEYS=ring)

    assert (code, told in output, KEY in output) == (1, True, False)


def test_a_file_for_everybody_does_not_start(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"file:{KEY}")
    path.chmod(0o644)

    code, output = _start(CREDENTIAL_ENCRYPTION_KEYS_FILE=str(path))

    assert (code, "chmod 600" in output, KEY in output) == (1, True, False)
