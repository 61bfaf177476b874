"""The cipher of the credential vault: AES-256-GCM in a self-describing text, `cv1:<key id>:<nonce>:<ciphertext>`.

The associated data binds a value to its table, row, user, field and key id, so a value moved anywhere else does
not open (NIST SP 800-38D; 96-bit random nonces, far below the 2**32 values a key may seal).
"""

import base64
import binascii
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX: Final = "cv1"
KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
# Base64 for URLs (RFC 4648, section 5) to the standard alphabet and back; `+` and `/` are letters of the latter alone.
_TO_STANDARD: Final = bytes.maketrans(b"-_+/", b"+/!!")
_TO_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,16}")


def _counted(text: str) -> bytes:
    """A text behind its length."""
    data = text.encode()
    return len(data).to_bytes(4, "big") + data


_name: Final = lru_cache(maxsize=256)(_counted)  # tables, columns and keys are few, and the same in every row


class VaultError(Exception):
    """A ring that must not be used, or a value that does not open. Never holds key or plaintext."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value lives; all of it is authenticated."""

    table: str
    row: str
    user: str
    field: str

    def associated_data(self, key_id: str) -> bytes:
        """Length-prefixed, so that no two places share their bytes."""
        table, field, key = _name(self.table), _name(self.field), _name(key_id)
        return b"".join((_name(PREFIX), table, _counted(self.row), _counted(self.user), field, key))


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Named keys; the first seals, all open."""

    primary: str
    _ciphers: Mapping[str, AESGCM] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read `id:base64,id:base64,…`, also line by line. Raises VaultError for an empty, short, all-zero, reused
        or twice-named key."""
        ciphers: dict[str, AESGCM] = {}
        seen: set[bytes] = set()
        for part in filter(None, (item.strip() for item in re.split(r"[,\n]", text))):
            key_id, _, encoded = part.partition(":")
            key = _decode_key(key_id, encoded)
            if key_id in ciphers or key in seen:
                raise VaultError(f"Key {key_id!r} is in the ring twice: give every key its own id and bytes.")
            seen.add(key)
            ciphers[key_id] = cipher(key)
        if not ciphers:
            raise VaultError(
                "The key ring is empty: set CREDENTIAL_ENCRYPTION_KEYS to `id:base64` of 32 random bytes."
            )
        return cls(primary=next(iter(ciphers)), _ciphers=ciphers)

    @classmethod
    def load(cls, *, text: str, path: str) -> "KeyRing":
        """The ring of the text, or of the file of that path. Raises VaultError, also when both are given."""
        if not path:
            return cls.parse(text)
        if text:
            raise VaultError("Set CREDENTIAL_ENCRYPTION_KEYS or CREDENTIAL_ENCRYPTION_KEYS_FILE, not both.")
        return cls.parse(_read_private(Path(path)))

    @property
    def prefix(self) -> str:
        """How every text begins that the primary key sealed."""
        return f"{PREFIX}:{self.primary}:"

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The names of the keys, the primary first."""
        return tuple(self._ciphers)

    def seal(self, plaintext: str, place: Place) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.primary].encrypt(
            nonce, plaintext.encode(), place.associated_data(self.primary)
        )
        return f"{PREFIX}:{self.primary}:{_encode(nonce)}:{_encode(sealed)}"

    def open(self, sealed: str, place: Place) -> str:
        """The plaintext. Raises VaultError if the text, its place or its key is not what it was sealed with."""
        try:
            prefix, key_id, nonce, ciphertext = sealed.split(":")
            key = self._ciphers[key_id]
            if prefix != PREFIX:
                raise VaultError(f"Unknown vault format {prefix[:8]!r}.")
            return key.decrypt(_strict(nonce), _strict(ciphertext), place.associated_data(key_id)).decode()
        except KeyError:
            raise VaultError("The key this value was sealed with is not in the ring.") from None
        except (ValueError, InvalidTag):
            raise VaultError("The sealed value does not open: it was changed or moved.") from None

    def is_current(self, sealed: str) -> bool:
        """Whether the value is sealed with the primary key."""
        return sealed.startswith(self.prefix)


def cipher(key: bytes) -> AESGCM:
    """The primitive under every key of a ring: what a ring seals, this has sealed."""
    return AESGCM(key)


def generate_key() -> str:
    """A fresh key for a ring, as base64."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _read_private(path: Path) -> str:
    """The text of a file that only its owner may read. Raises VaultError, which does not show the text."""
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise VaultError(f"The key file may be read by others (mode {mode:04o}): `chmod 600` it.")
            return file.read()
    except UnicodeDecodeError:
        raise VaultError("The key file is no text of `id:base64` lines.") from None
    except OSError as error:
        raise VaultError(f"The key file cannot be read: {error.strerror}.") from None


def _decode_key(key_id: str, encoded: str) -> bytes:
    # A part without a colon, or with an id as long as a key, may be a key: it must not be named in the message.
    if not encoded or not _KEY_ID.fullmatch(key_id):
        raise VaultError("Write every key of the ring as `id:base64`; an id is 1 to 16 of a-z A-Z 0-9 - _.")
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise VaultError(f"Key {key_id!r} is not base64.") from None
    if len(key) != KEY_BYTES:
        raise VaultError(f"Key {key_id!r} has {len(key)} bytes; AES-256 needs {KEY_BYTES}.")
    if not any(key):
        raise VaultError(f"Key {key_id!r} is all zero.")
    return key


def _encode(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL_SAFE).decode("ascii")


def _strict(text: str) -> bytes:
    """Base64 in its one canonical spelling: a second text for the same bytes is a change."""
    standard = text.encode("ascii").translate(_TO_STANDARD)
    data = binascii.a2b_base64(standard)
    if binascii.b2a_base64(data, newline=False) != standard:
        raise VaultError("The sealed value does not open: it was changed or moved.")
    return data
