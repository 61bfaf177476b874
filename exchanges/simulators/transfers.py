"""Deposits and withdrawals of a simulated account."""

import hashlib

from exchanges.simulators import amounts
from exchanges.simulators.amounts import ONE, units
from exchanges.simulators.clock import DAY_MS, HOUR_MS, MINUTE_MS
from exchanges.simulators.desk import Action, Desk
from exchanges.simulators.facts import Transfer
from exchanges.simulators.profiles import Profile

DEPOSIT_SUCCESS = 1
WITHDRAWAL_REJECTED = 3
WITHDRAWAL_COMPLETED = 6
_NETWORKS = {"USDT": ("TRX", "1"), "BTC": ("BTC", "0.0002"), "ETH": ("ETH", "0.0016")}
_TRIP_MS = 12 * MINUTE_MS


class Treasurer:
    """Puts every transfer of the profile on the desk's agenda, spread over the account's life."""

    def __init__(self, desk: Desk, profile: Profile, *, opened: int) -> None:
        self._desk = desk
        self._profile = profile
        self._opened = opened

    def plan(self) -> None:
        capital = self._profile.capital
        self._desk.schedule(self._opened + 10 * HOUR_MS, self._deposit("USDT", capital))
        if not self._profile.transfers:
            return
        self._later(20, self._deposit("BTC", units("0.05")))
        self._later(30, self._deposit("USDT", capital * 2 // 5))
        self._later(55, self._withdraw("USDT", capital // 8, WITHDRAWAL_COMPLETED))
        self._later(60, self._withdraw("USDT", capital // 20, WITHDRAWAL_REJECTED))
        self._later(70, self._withdraw("ETH", units("0.2"), WITHDRAWAL_COMPLETED))
        self._later(80, self._deposit("USDT", capital // 6))
        self._later(93, self._withdraw("USDT", capital // 10, WITHDRAWAL_COMPLETED))

    def _later(self, percent: int, action: Action) -> None:
        minute = self._desk.rng.randrange(24 * 60)
        at = self._opened + self._profile.days * DAY_MS * percent // 100
        self._desk.schedule(at // DAY_MS * DAY_MS + minute * MINUTE_MS, action)

    def _deposit(self, asset: str, amount: int) -> Action:
        def arrive(at: int) -> None:
            account = self._desk.account
            account.deposit(self._transfer("deposit", asset, amount, status=DEPOSIT_SUCCESS, at=at, fee=0))

        return arrive

    def _withdraw(self, asset: str, amount: int, status: int) -> Action:
        """Withdraw up to `amount` of what is free; nothing happens when there is too little."""

        def leave(at: int) -> None:
            account = self._desk.account
            fee = units(_NETWORKS[asset][1])
            affordable = amounts.floor_to(account.free[asset] * 9 // 10 - fee, ONE // 1_000)
            if affordable < 10 * fee:
                return
            row = self._transfer("withdrawal", asset, min(amount, affordable), status=status, at=at, fee=fee)
            row.moves_balance = status == WITHDRAWAL_COMPLETED
            account.withdraw(row)

        return leave

    def _transfer(self, kind: str, asset: str, amount: int, *, status: int, at: int, fee: int) -> Transfer:
        digest = hashlib.sha256(f"{self._desk.account.uid}:{kind}:{asset}:{at}".encode()).hexdigest()
        identity = digest[:32] if kind == "withdrawal" else str(int(digest[:15], 16))
        return Transfer(
            transfer_id=identity,
            asset=asset,
            amount=amount,
            fee=fee,
            network=_NETWORKS[asset][0],
            address="T" + digest[32:65],
            tx_id=digest,
            status=status,
            applied_at=at,
            completed_at=at + (_TRIP_MS if kind == "withdrawal" else 0),
        )
