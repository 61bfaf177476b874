"""Password hashing: Argon2id with parameters OWASP ASVS approves (46 MiB, one pass, one lane), about 80 ms.

bcrypt is only read: hashes brought along from elsewhere work once, and logging in replaces them.
"""

import re
from typing import Any, Final

from django.contrib.auth.hashers import Argon2PasswordHasher, BCryptPasswordHasher

_RAW_BCRYPT: Final = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")
_BCRYPT_BYTES: Final = 72


class Argon2id(Argon2PasswordHasher):
    time_cost = 1
    memory_cost = 47104
    parallelism = 1


class Bcrypt(BCryptPasswordHasher):
    """bcrypt as everybody else computes it: bytes beyond the 72nd do not count (newer libraries refuse them)."""

    def encode(self, password: str, salt: Any) -> str:
        cut = password.encode()[:_BCRYPT_BYTES]
        hashed: bytes = self._load_library().hashpw(cut, salt)  # type: ignore[attr-defined]  # the library it names
        return f"{self.algorithm}${hashed.decode('ascii')}"


def normalise(encoded: str) -> str:
    """A stored hash in Django's form: a raw bcrypt hash (`$2b$12$…`) gets its algorithm's name in front."""
    return f"{Bcrypt.algorithm}${encoded}" if _RAW_BCRYPT.fullmatch(encoded) else encoded
