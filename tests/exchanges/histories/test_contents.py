"""What bytes are text."""

import codecs
import gzip

import pytest

from core.errors import Invalid
from exchanges.histories import contents


@pytest.mark.parametrize(
    "content",
    [
        "größer".encode(),
        codecs.BOM_UTF8 + "größer".encode(),
        "größer".encode("utf-16"),
        codecs.BOM_UTF16_BE + "größer".encode("utf-16-be"),
    ],
)
def test_marks_of_encodings_are_no_part_of_the_text(content: bytes) -> None:
    assert contents.text_of(content) == "größer"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest", "a ZIP archive or a spreadsheet: unpack it, or save it as CSV"),
        (gzip.compress(b"a,b"), "compressed by gzip: unpack it"),
        (b"%PDF-1.7", "a PDF document"),
        ("Gebühr".encode("cp1252"), "no text in UTF-8 .at byte 3.: save it as"),
        (codecs.BOM_UTF16_LE + b"a", "no text in UTF-8"),
    ],
)
def test_what_is_no_text_is_named(content: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        contents.text_of(content)


def test_a_huge_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "LARGEST", 3)

    with pytest.raises(Invalid, match="export shorter times"):
        contents.text_of(b"a,b\n")
