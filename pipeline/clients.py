"""A client for one user's account, with keys that are open only while it is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from core.vault import VaultError
from credentials import vault
from credentials.models import ExchangeAccount
from credentials.vault import KeyVersion, Purpose
from exchanges import registry
from exchanges.base import Account as Client
from exchanges.base import Markets
from exchanges.errors import ErrorKind, ExchangeError
from pipeline import market
from pipeline.patience import PatientClient
from pipeline.session import Clock


@contextmanager
def open_client(
    account: ExchangeAccount, *, purpose: Purpose, markets: Markets | None, clock: Clock
) -> Iterator[tuple[Client, KeyVersion]]:
    """A client, and which key it uses; both forget the key at the end. Outside any door. Raises ExchangeError."""
    try:
        with vault.open_keys(user_id=account.user_id, account_id=account.id, purpose=purpose) as (
            keys,
            version,
        ):
            client = registry.open_account(
                account.exchange,
                keys,
                urls=market.urls(),
                markets=markets,
                now=clock,
                governor=market.governor(account.exchange, account=account, now=clock),
            )
    except vault.NoKeys as error:
        raise ExchangeError(ErrorKind.AUTH, error.message, code=error.code) from None
    except VaultError as error:
        raise ExchangeError(ErrorKind.BUG, str(error), code="vault") from None
    try:
        yield cast(Client, PatientClient(client, now=clock)), version
    finally:
        client.close()
