"""Vendored files are what their makers published."""

import json
import shutil
from pathlib import Path

import pytest

from web import vendor


def test_every_vendored_file_is_as_listed() -> None:
    assert vendor.check() == []


def test_every_vendored_package_comes_with_its_licence() -> None:
    packages = json.loads(vendor.MANIFEST.read_text())
    assert [name for name, package in packages.items() if "LICENSE" not in package["files"]] == []


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The vendored files once more, to be spoilt."""
    for folder in ("static/vendor", "tests/web/vendor"):
        shutil.copytree(vendor.ROOT / folder, tmp_path / folder)
    monkeypatch.setattr(vendor, "ROOT", tmp_path)
    monkeypatch.setattr(vendor, "MANIFEST", tmp_path / "static/vendor/vendor.json")
    return tmp_path / "static/vendor/lightweight-charts@5.2.1"


def test_a_changed_file_is_found(copy: Path) -> None:
    (copy / "lightweight-charts.js").write_text("alert(1)")
    assert vendor.check() == ["static/vendor/lightweight-charts@5.2.1/lightweight-charts.js: changed"]


def test_a_missing_file_is_found(copy: Path) -> None:
    (copy / "LICENSE").unlink()
    assert vendor.check() == ["static/vendor/lightweight-charts@5.2.1/LICENSE: missing"]


def test_an_unlisted_file_is_found(copy: Path) -> None:
    (copy / "more.js").write_text("")
    assert vendor.check() == ["static/vendor/lightweight-charts@5.2.1/more.js: not listed"]
