"""What an error means to the person whose account it is, and what helps."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from exchanges import registry
from exchanges.errors import ErrorKind
from pipeline import runs
from pipeline.schedule import Pace

UNREADABLE: Final = "unreadable"  # the run's error when rows were set aside
_MEANING: Final[Mapping[str, str]] = {
    ErrorKind.AUTH: (
        "The exchange does not accept the API key. Check that it exists and allows this server's address, or save"
        " a new one."
    ),
    ErrorKind.PERMISSION: "The API key may not read this. Allow reading at the exchange.",
    ErrorKind.CLOCK: "This server's clock and the exchange's differ too much. It is tried again in a few minutes.",
    ErrorKind.RATE: "The exchange asked this server to slow down. It goes on by itself.",
    ErrorKind.BANNED: "The exchange barred this server's address for a while. It goes on by itself.",
    ErrorKind.DOWN: "The exchange answers with errors. It is tried again shortly.",
    ErrorKind.NETWORK: "The exchange cannot be reached. It is tried again shortly.",
    ErrorKind.USER: "The exchange refuses this request for this account, for a symbol that is gone, say.",
    ErrorKind.BUG: "This is our own fault; nothing stored is affected. It is tried again later.",
    runs.INTERRUPTED: "The work was cut off in the middle. The next run goes on from there.",
    UNREADABLE: "Some rows could not be read and were set aside; the others are stored.",
}


def explain(kind: str) -> str:
    """A sentence or two; "" where there is no error."""
    return _MEANING.get(kind, "")


def slowed(exchange: str, pace: Pace) -> str:
    """Why an account is not read as often as usual; "" where it is."""
    if not pace.is_slowed:
        return ""
    known = registry.supported().get(exchange)
    title = known.title if known else exchange
    minutes = f"{pace.prompt / timedelta(minutes=1):.1f}".removesuffix(".0")
    return (
        f"Accounts at {title} are read every {minutes} minutes at present: its limit allows this server no more for"
        " all of them."
    )
