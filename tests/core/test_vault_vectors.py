"""Project Wycheproof's vectors through the primitive that every key of a ring is made of."""

import base64
import csv
from pathlib import Path
from typing import Final

import pytest
from cryptography.exceptions import InvalidTag

from core import vault
from core.vault import KeyRing, Place

VECTORS: Final = Path(__file__).with_name("vectors") / "aes_256_gcm.csv"
COLUMNS: Final = ("key", "iv", "aad", "msg", "ct", "tag")


def _vectors() -> list[tuple[str, bool, list[bytes]]]:
    with VECTORS.open(encoding="ascii") as file:
        return [
            (row["tcId"], row["result"] == "valid", [bytes.fromhex(row[name]) for name in COLUMNS])
            for row in csv.DictReader(file)
        ]


def test_the_vectors_are_all_there() -> None:
    assert [valid for _, valid, _ in _vectors()].count(True) == 39
    assert len(_vectors()) == 66


@pytest.mark.parametrize(
    "vector",
    [parts for _, valid, parts in _vectors() if valid],
    ids=[n for n, valid, _ in _vectors() if valid],
)
def test_what_is_valid_is_sealed_and_opened_alike(vector: list[bytes]) -> None:
    key, nonce, bound, plaintext, ciphertext, tag = vector
    cipher = vault.cipher(key)

    assert cipher.encrypt(nonce, plaintext, bound) == ciphertext + tag
    assert cipher.decrypt(nonce, ciphertext + tag, bound) == plaintext


@pytest.mark.parametrize(
    "vector",
    [parts for _, valid, parts in _vectors() if not valid],
    ids=[n for n, valid, _ in _vectors() if not valid],
)
def test_what_is_invalid_does_not_open(vector: list[bytes]) -> None:
    key, nonce, bound, _, ciphertext, tag = vector

    with pytest.raises(InvalidTag):
        vault.cipher(key).decrypt(nonce, ciphertext + tag, bound)


def test_a_ring_seals_with_this_primitive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stands between the ring and what the vectors were tried on."""
    made: list[bytes] = []
    original = vault.cipher
    monkeypatch.setattr(vault, "cipher", lambda key: made.append(key) or original(key))  # type: ignore[func-returns-value]
    encoded = vault.generate_key()
    ring = KeyRing.parse(f"a:{encoded}")
    place = Place("t", "1", "u", "f")

    assert ring.open(ring.seal("text", place), place) == "text"
    assert made == [base64.b64decode(encoded)]
