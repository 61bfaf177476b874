"""docs/worked-cases.md against the tests it names."""

import re
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
PAGE: Final = (HERE.parents[2] / "docs" / "worked-cases.md").read_text()
ROWS: Final = re.findall(r"^\| (\w+_\w+) \| (?:`(\S+)::(\w+)`|–) \| ?(.*) \|$", PAGE, re.MULTILINE)


def test_every_test_named_there_is_one() -> None:
    named = {(file, name) for _, file, name, _ in ROWS if file}
    missing = [(file, name) for file, name in named if f"def {name}(" not in (HERE / file).read_text()]
    assert (len(named), missing) == (25, [])


def test_every_case_stands_there_once_with_its_test_or_a_reason() -> None:
    counts = re.search(r"^(\d+) cases .* (\d+) are answered .* (\d+) are not", PAGE, re.MULTILINE)
    assert counts is not None
    answered = [case for case, file, _, _ in ROWS if file]
    reasoned = [case for case, file, _, note in ROWS if not file and note]
    assert [len({row[0] for row in ROWS}), len(answered), len(reasoned)] == [int(n) for n in counts.groups()]
