#!/usr/bin/env python3
"""Set-up for a fresh machine, with the standard library alone: dev.py run | test | check | bench | setup.

Finds a Python ≥ 3.11, builds .venv from the hashed lock files (again only when they change) and hands over.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = str(VENV / "bin" / "python")
RUN = ("base", "embedded")
ALL = ("dev", "embedded", "browser")
OLDEST = (3, 11)
HALF = ("tests/pipeline", "tests/exchanges")  # about half of the time all tests take


def main(arguments: list[str]) -> int:
    command, rest = (arguments or ["help"])[0], arguments[1:]
    if sys.version_info < OLDEST:
        return _hand_to_newer_python(arguments)
    if command == "run":
        install(RUN)
        os.chdir(ROOT)
        os.execv(PYTHON, [PYTHON, "manage.py", "devstack", *rest])
    if command == "setup":
        install(ALL)
        return 0
    if command == "test":
        install(ALL)
        return _call("-m", "pytest", *rest) if rest else test()
    if command == "check":
        install(ALL)
        return check()
    if command == "bench":
        install(ALL)
        return _call("-m", "benchmarks", *rest)
    print(__doc__)
    return 2


def test() -> int:
    """All tests in two halves at once, each with databases of its own; the second half is told when the first ends."""
    print("$ python -m pytest (in two halves)", flush=True)
    beside = [f"--ignore={path}" for path in HALF]
    with tempfile.TemporaryFile("w+") as told:
        other = subprocess.Popen(
            [PYTHON, "-m", "pytest", *beside],
            cwd=ROOT,
            env={**os.environ, "DJANGO_TEST_DB": "test_cgt_beside", "DJANGO_TEST_REDIS": "1"},
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        failed = _call("-m", "pytest", *HALF)
        failed |= other.wait()
        told.seek(0)
        shutil.copyfileobj(told, sys.stdout)
    print("test: " + ("failed" if failed else "all good"), flush=True)
    return 1 if failed else 0


def check() -> int:
    """Every check, each run even after a failure, so that one look shows all."""
    steps = [
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "ruff", "check", "."],
        ["-m", "mypy", "."],
        [str(VENV / "bin" / "lint-imports")],
        ["manage.py", "makemigrations", "--check", "--dry-run"],
        ["manage.py", "check", "--fail-level", "WARNING"],
    ]
    failed = [" ".join(step) for step in steps if _call(*step)]
    failed += [
        f"{path.name} contains a URL"
        for path in (ROOT / "requirements").glob("*.txt")
        if "://" in path.read_text()
    ]
    print("check: " + ("all good" if not failed else "failed: " + "; ".join(failed)))
    return 1 if failed else 0


def install(groups: tuple[str, ...]) -> None:
    """Bring .venv to the lock files of `groups`; a stamp tells when nothing is to be done."""
    stamp = VENV / "stamp"
    wanted = _digest(groups)
    have = stamp.read_text().split() if stamp.exists() else []
    if wanted in have and Path(PYTHON).exists():
        return
    if not Path(PYTHON).exists() or _digest(()) not in have:
        shutil.rmtree(VENV, ignore_errors=True)
        print("Building .venv …", flush=True)
        venv.create(VENV, with_pip=True)
        have = [_digest(())]
    files = [argument for name in groups for argument in ("-r", str(ROOT / "requirements" / f"{name}.txt"))]
    print(f"Installing {', '.join(groups)} …", flush=True)
    if not _install_with_uv(files):
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*pip, *files], check=True)
    if groups == ALL:  # dev holds base
        have.append(_digest(RUN))
    stamp.write_text("\n".join([*have, wanted]))


def _install_with_uv(files: list[str]) -> bool:
    """uv is many times faster; where it cannot be had or does not reach the index, pip does it."""
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    if subprocess.run([*pip, "-r", str(ROOT / "requirements" / "tools.txt")], check=False).returncode:
        return False
    command = [
        PYTHON,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        PYTHON,
        "--require-hashes",
        *files,
    ]
    return subprocess.run(command, check=False).returncode == 0


def _digest(groups: tuple[str, ...]) -> str:
    """Of the Python version and the groups' lock files."""
    digest = hashlib.sha256(sys.version.encode())
    for name in groups:
        digest.update((ROOT / "requirements" / f"{name}.txt").read_bytes())
    return digest.hexdigest()


def _call(*arguments: str) -> int:
    print(f"$ python {' '.join(arguments)}", flush=True)
    return subprocess.run([PYTHON, *arguments], cwd=ROOT, check=False).returncode


def _hand_to_newer_python(arguments: list[str]) -> int:
    """Old interpreters (and shims that answer for none) are passed over. Written for Python 3.6 and later."""
    for name in (os.environ.get("PYTHON", ""), "python3.13", "python3.12", "python3.11"):
        path = name and shutil.which(name)
        test = "import sys, venv; sys.exit(sys.version_info < (3, 11))"
        if path and subprocess.run([path, "-c", test], check=False).returncode == 0:
            os.execv(path, [path, str(ROOT / "dev.py"), *arguments])
    print("Python 3.11 or newer is needed: install it, or set PYTHON to its path.")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
