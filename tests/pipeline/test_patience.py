from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchanges.errors import ErrorKind, ExchangeError
from pipeline.patience import PatientClient

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Client:
    """Refuses as often as it is told, then answers."""

    used_weight = 7

    def __init__(self, *refusals: ExchangeError) -> None:
        self.refusals = list(refusals)

    def balances(self) -> str:
        if self.refusals:
            raise self.refusals.pop(0)
        return "balances"


def rate(seconds: float | None) -> ExchangeError:
    return ExchangeError(
        ErrorKind.RATE, "too fast", retry_at=None if seconds is None else NOW + timedelta(seconds=seconds)
    )


def patient(*refusals: ExchangeError) -> tuple[PatientClient, list[float]]:
    slept: list[float] = []
    client: Any = Client(*refusals)
    return PatientClient(client, now=lambda: NOW, sleep=slept.append), slept


def test_a_refusal_for_a_moment_is_waited_out() -> None:
    client, slept = patient(rate(1), rate(2))

    assert client.balances() == "balances"
    assert slept == [1, 2]


@pytest.mark.parametrize("seconds", [60, None])
def test_a_long_refusal_ends_the_call(seconds: float | None) -> None:
    client, slept = patient(rate(seconds))

    with pytest.raises(ExchangeError, match="too fast"):
        client.balances()
    assert slept == []


def test_other_errors_are_not_repeated() -> None:
    client, slept = patient(ExchangeError(ErrorKind.DOWN, "ill", retry_at=NOW + timedelta(seconds=1)))

    with pytest.raises(ExchangeError, match="ill"):
        client.balances()
    assert slept == []


def test_patience_ends() -> None:
    client, slept = patient(*[rate(1)] * 9)

    with pytest.raises(ExchangeError):
        client.balances()
    assert len(slept) == 5


def test_what_is_no_call_passes_through() -> None:
    client, _ = patient()

    assert client.used_weight == 7
