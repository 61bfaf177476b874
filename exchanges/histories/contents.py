"""A file's bytes as text."""

import codecs
from typing import Final

from core.errors import Invalid

LARGEST: Final = 32_000_000
"""Bytes; lines take some fifty times as much while they are read."""
_FOREIGN: Final = (
    (b"PK\x03\x04", "It is a ZIP archive or a spreadsheet: unpack it, or save it as CSV."),
    (b"\x1f\x8b", "It is compressed by gzip: unpack it."),
    (b"%PDF", "It is a PDF document: ask for the export as CSV."),
)
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_of(content: bytes) -> str:
    """In UTF-8, or in UTF-16 with its mark, as spreadsheets save Unicode. Raises Invalid."""
    if len(content) > LARGEST:
        raise Invalid(f"It has more than {LARGEST // 1_000_000} MB: export shorter times, one after another.")
    for mark, words in _FOREIGN:
        if content.startswith(mark):
            raise Invalid(words)
    encoding = "utf-16" if content.startswith(_UTF_16) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Invalid(
            f"It is no text in UTF-8 (at byte {error.start}): save it as “CSV UTF-8” in a spreadsheet."
        ) from None
