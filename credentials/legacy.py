"""Keys exported from systems that sealed them by Node's `createCipheriv('aes-256-cbc', key, iv)`; read only.

One key and one IV for every value, as their environment had them. CBC proves nothing: what comes out is believed
only if its padding is right and it is text that a key can be.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from django.views.decorators.debug import sensitive_variables

_KEY_BYTES: Final = 32
_BLOCK: Final = 16
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+")
_SECRET: Final = re.compile(r"[\x20-\x7e\r\n]*")  # as keys are accepted (credentials.serializers)


class LegacyError(Exception):
    """A key, an IV or a value that cannot be used. Never holds any of them."""


class DoesNotDecrypt(LegacyError):
    """One message whatever the reason: padding, alphabet and encoding tell nothing apart."""

    def __init__(self) -> None:
        super().__init__("does not decrypt with this key and IV")


@dataclass(frozen=True, slots=True, repr=False)
class LegacyCipher:
    """AES-256-CBC with PKCS#7, one key and one IV."""

    key: bytes
    iv: bytes

    @classmethod
    @sensitive_variables("key", "iv")
    def parse(cls, *, key: str, iv: str) -> "LegacyCipher":
        """From the values of CREDENTIAL_ENCRYPTION_KEY and CREDENTIAL_IV_KEY. Raises LegacyError."""
        return cls(
            key=_bytes_of(key, _KEY_BYTES, "CREDENTIAL_ENCRYPTION_KEY"),
            iv=_bytes_of(iv, _BLOCK, "CREDENTIAL_IV_KEY"),
        )

    @sensitive_variables()
    def open(self, text: str) -> str:
        """The plaintext of a value in hex or base64. Raises DoesNotDecrypt."""
        try:
            sealed = _decoded(text.strip())
            if not sealed or len(sealed) % _BLOCK:
                raise DoesNotDecrypt
            decryptor = Cipher(AES(self.key), CBC(self.iv)).decryptor()
            unpadder = PKCS7(_BLOCK * 8).unpadder()
            padded = decryptor.update(sealed) + decryptor.finalize()
            plaintext = (unpadder.update(padded) + unpadder.finalize()).decode("utf-8")
        except ValueError:
            raise DoesNotDecrypt from None
        if not _SECRET.fullmatch(plaintext):
            raise DoesNotDecrypt
        return plaintext


def _decoded(text: str) -> bytes:
    """Hex where it is whole blocks of hex, else base64."""
    if _HEX.fullmatch(text) and len(text) % (2 * _BLOCK) == 0:
        return bytes.fromhex(text)
    return base64.b64decode(text, validate=True)


@sensitive_variables("text", "data")
def _bytes_of(text: str, length: int, name: str) -> bytes:
    """Raw text of that many bytes, or the same in hex or base64: their lengths differ, so nothing is guessed."""
    raw = text.strip().encode()
    if len(raw) == length:
        return raw
    try:
        data = bytes.fromhex(text.strip()) if len(raw) == 2 * length else base64.b64decode(raw, validate=True)
    except (ValueError, binascii.Error):
        data = b""
    if len(data) != length:
        raise LegacyError(f"{name} must be {length} bytes: as text, in hex or in base64.")
    return data
