"""The cipher: what was changed or moved does not open."""

import base64
from collections.abc import Callable
from itertools import permutations, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.vault import KeyRing, Place, VaultError, generate_key

PLACE = Place(table="credentials_apicredential", row="1", user="alice", field="secret_key")
OLD, NEW = generate_key(), generate_key()
RING = KeyRing.parse(f"new:{NEW},old:{OLD}")
PLAINTEXT = "correct horse battery staple ☃"


def _refused(ring: KeyRing, sealed: str, place: Place) -> bool:
    try:
        ring.open(sealed, place)
    except VaultError as error:
        return PLAINTEXT not in str(error)
    return False


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_in_its_place(text: str) -> None:
    assert RING.open(RING.seal(text, PLACE), PLACE) == text


def test_equal_plaintexts_look_different() -> None:
    assert RING.seal(PLAINTEXT, PLACE) != RING.seal(PLAINTEXT, PLACE)


def test_no_value_with_a_changed_byte_opens() -> None:
    sealed = RING.seal(PLAINTEXT, PLACE)
    changed = [
        sealed[:i] + other + sealed[i + 1 :]
        for i in range(len(sealed))
        for other in {chr(ord(sealed[i]) ^ bit) for bit in (1, 2, 4, 8, 16, 32, 64)} | {"A", ":", "\0", "é"}
        if other != sealed[i]
    ]

    assert [text for text in changed if not _refused(RING, text, PLACE)] == []
    assert len(changed) > 500


def test_no_value_with_a_changed_byte_of_nonce_or_ciphertext_opens() -> None:
    prefix, key_id, nonce, ciphertext = RING.seal(PLAINTEXT, PLACE).split(":")
    raw = base64.urlsafe_b64decode(nonce) + base64.urlsafe_b64decode(ciphertext)
    for i in range(len(raw)):
        bad = raw[:i] + bytes([raw[i] ^ 0x80]) + raw[i + 1 :]
        parts = (base64.urlsafe_b64encode(part).decode() for part in (bad[:12], bad[12:]))
        assert _refused(RING, ":".join([prefix, key_id, *parts]), PLACE)


@pytest.mark.parametrize(
    "respell",
    [
        lambda text: text.replace("-", "+").replace("_", "/"),
        lambda text: text + "=",
        lambda text: text + "====",
        lambda text: text + "\n",
        lambda text: text[:-4] + " " + text[-4:],
        lambda text: text.rstrip("="),
    ],
)
def test_a_second_spelling_of_the_same_bytes_does_not_open(respell: Callable[[str], str]) -> None:
    texts = [RING.seal("x" * length, PLACE) for length in range(48)]
    respelt = [respell(text) for text in texts if respell(text) != text]

    assert [text for text in respelt if not _refused(RING, text, PLACE)] == []
    assert len(respelt) >= 10


@pytest.mark.parametrize(
    "cut", ["", "cv1", "cv1:new", "cv1:new:", "cv1:new::", "cv1:new:AAAA:AAAA", "cv1:a:b:c:d"]
)
def test_no_fragment_opens(cut: str) -> None:
    assert _refused(RING, cut, PLACE)


@pytest.mark.parametrize("part", ["table", "row", "user", "field"])
def test_a_value_moved_to_another_place_does_not_open(part: str) -> None:
    elsewhere = Place(
        **{name: getattr(PLACE, name) + ("x" if name == part else "") for name in Place.__slots__}
    )

    assert _refused(RING, RING.seal(PLAINTEXT, PLACE), elsewhere)


def test_no_value_opens_in_any_place_but_its_own() -> None:
    """Two tables, rows, users and fields each, and two keys: 32 values, 32 places and keys."""
    places = [
        Place(*parts)
        for parts in product(("t1", "t2"), ("r1", "r2"), ("u1", "u2"), ("api_key", "secret_key"))
    ]
    rings = [KeyRing.parse(f"old:{OLD},new:{NEW}"), RING]
    sealed = [(ring.seal(PLAINTEXT, place), place) for place in places for ring in rings]

    opened = [
        (mine, other)
        for (text, mine), (_, other) in permutations(sealed, 2)
        if not _refused(RING, text, other)
    ]

    assert all(mine == other for mine, other in opened)
    assert len(opened) == len(sealed)


def test_places_that_read_alike_when_joined_are_different() -> None:
    assert Place("ab", "c", "u", "f").associated_data("k") != Place("a", "bc", "u", "f").associated_data("k")


def test_a_value_renamed_to_another_key_does_not_open() -> None:
    sealed = RING.seal(PLAINTEXT, PLACE)

    assert _refused(RING, sealed.replace("cv1:new:", "cv1:old:"), PLACE)
    assert _refused(RING, sealed.replace("cv1:new:", "cv1:gone:"), PLACE)


def test_the_same_key_under_another_id_does_not_open() -> None:
    renamed = KeyRing.parse(f"renamed:{NEW}")

    assert _refused(renamed, RING.seal(PLAINTEXT, PLACE).replace("cv1:new:", "cv1:renamed:"), PLACE)


def test_an_older_key_still_opens_and_is_told_from_the_primary() -> None:
    sealed = KeyRing.parse(f"old:{OLD}").seal(PLAINTEXT, PLACE)

    assert RING.open(sealed, PLACE) == PLAINTEXT
    assert (RING.is_current(sealed), RING.is_current(RING.seal("", PLACE))) == (False, True)


@pytest.mark.parametrize(
    "ring",
    [
        "",
        " , ",
        f"a:{OLD},a:{NEW}",
        f"a:{OLD},b:{OLD}",
        f"a:{base64.b64encode(bytes(32)).decode()}",
        f"a:{base64.b64encode(bytes(range(31))).decode()}",
        "a:not base64!",
        "a:ключ",
        f":{OLD}",
        f"a b:{OLD}",
        "a:",
    ],
)
def test_a_ring_that_must_not_be_used_is_refused(ring: str) -> None:
    with pytest.raises(VaultError):
        KeyRing.parse(ring)


@pytest.mark.parametrize("slip", ["{key}", "{key}:", "{key}:v1", "v1:{key}{key}"])
def test_a_refusal_never_shows_a_key(slip: str) -> None:
    for key in (OLD, base64.b64decode(OLD).hex()):
        with pytest.raises(VaultError) as caught:
            KeyRing.parse(slip.format(key=key))
        assert key not in str(caught.value)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"new:{NEW}\nold:{OLD}\n")
    path.chmod(0o600)
    return path


def test_a_ring_is_read_from_a_file_line_by_line(key_file: Path) -> None:
    assert KeyRing.load(text="", path=str(key_file)).key_ids == ("new", "old")


def test_without_a_file_the_text_is_the_ring() -> None:
    assert KeyRing.load(text=f"old:{OLD}", path="").key_ids == ("old",)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601])
def test_a_file_that_others_may_touch_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)

    with pytest.raises(VaultError, match=f"mode {mode:04o}.*chmod 600"):
        KeyRing.load(text="", path=str(key_file))


def test_text_and_file_together_are_refused(key_file: Path) -> None:
    with pytest.raises(VaultError, match="not both"):
        KeyRing.load(text=f"new:{NEW}", path=str(key_file))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="cannot be read: No such file"):
        KeyRing.load(text="", path=str(tmp_path / "none"))


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"new:short"])
def test_a_file_without_a_good_ring_is_refused(key_file: Path, content: bytes) -> None:
    key_file.write_bytes(content)

    with pytest.raises(VaultError):
        KeyRing.load(text="", path=str(key_file))


def test_a_ring_does_not_show_its_keys() -> None:
    assert repr(RING) == "KeyRing(primary='new')"
