"""Keeps the browser libraries in the repository: what `vendor.json` pins, with licences, unchanged since it was packed.

    python -m web.vendor            fetch what the manifest pins (needs npm), and write the hashes down
    python -m web.vendor --check    compare what is there with the hashes; offline

There is no build step: files are served as their makers published them.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
MANIFEST: Final = ROOT / "static/vendor/vendor.json"


def check() -> list[str]:
    """What differs from the manifest, in words: changed, missing and unlisted files. Empty when all is well."""
    packages = _read()
    wrong = []
    folders = set()
    for name, package in packages.items():
        folder = _folder(name, package)
        folders.add(folder)
        wrong += [
            f"{folder.relative_to(ROOT)}/{file}: {fault}"
            for file, digest in package["files"].items()
            if (fault := _fault(folder / file, digest))
        ]
        listed = {folder / file for file in package["files"]}
        wrong += [f"{path.relative_to(ROOT)}: not listed" for path in _files(folder) if path not in listed]
    for parent in {folder.parent for folder in folders}:
        strays = {path for path in parent.iterdir() if path.is_dir()} - folders
        wrong += [f"{path.relative_to(ROOT)}: not listed" for path in sorted(strays)]
    return wrong


def fetch() -> None:
    """Pack every pinned package with npm, copy the listed files and write their SHA-256 into the manifest."""
    packages = _read()
    for name, package in packages.items():
        folder = _folder(name, package)
        shutil.rmtree(folder, ignore_errors=True)
        with tempfile.TemporaryDirectory() as unpacked:
            _pack(f"{name}@{package['version']}", Path(unpacked))
            for file in package["files"]:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(unpacked) / "package" / package["from"].get(file, file), target)
                package["files"][file] = _digest(target)
    MANIFEST.write_text(json.dumps(packages, indent=2) + "\n")


def _pack(spec: str, target: Path) -> None:
    command = ["npm", "pack", spec, "--silent", "--pack-destination", str(target)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  (specs come from the manifest)
    (archive,) = target.glob("*.tgz")
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")


def _read() -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = json.loads(MANIFEST.read_text())
    return packages


def _folder(name: str, package: dict[str, Any]) -> Path:
    return ROOT / str(package["to"]) / f"{name.rpartition('/')[2]}@{package['version']}"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _fault(path: Path, digest: str) -> str:
    if not path.is_file():
        return "missing"
    return "" if _digest(path) == digest else "changed"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    if "--check" not in sys.argv[1:]:
        fetch()
    wrong = check()
    print("\n".join(wrong) or "Vendored files are as listed.")  # noqa: T201  (a command's answer)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
