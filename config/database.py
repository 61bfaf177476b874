"""How long the database may take, by what kind of process asks."""

from typing import Final, NamedTuple


class Patience(NamedTuple):
    """Seconds a statement may run, wait for a lock, or leave its transaction idle; 0 is for ever."""

    statement: int
    lock: int
    idle: int


PATIENCE: Final = {
    "web": Patience(statement=8, lock=3, idle=30),  # somebody waits
    "worker": Patience(statement=300, lock=30, idle=600),  # folds of long histories
    "command": Patience(statement=0, lock=0, idle=0),  # migrations, and people who know what they do
}


def options(process: str, *, given: str = "") -> str:
    """PostgreSQL's connection options for a process; those of the DATABASE_URL come last and so win."""
    patience = PATIENCE[process]
    limits = (
        f"-c statement_timeout={patience.statement}s -c lock_timeout={patience.lock}s"
        f" -c idle_in_transaction_session_timeout={patience.idle}s"
    )
    return f"{limits} {given}".strip()
