"""From when on history can be asked for again."""

from argparse import ArgumentParser

import pytest

from pipeline.management.commands.backfill import Command


@pytest.mark.parametrize(
    ("text", "words"),
    [("0001-01-01T00:00+14:00", "is no date"), ("0001-01-01", "begin in 2010 at the earliest")],
)
def test_nothing_is_asked_of_times_before_any_exchange(
    text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = ArgumentParser()
    Command().add_arguments(parser)

    with pytest.raises(SystemExit):
        parser.parse_args(["--user", "a@example.com", "--since", text])

    assert words in capsys.readouterr().err
