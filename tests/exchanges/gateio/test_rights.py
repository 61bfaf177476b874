"""What a key may, and whose it is, as far as Gate.io tells."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exchanges.errors import ErrorKind, ExchangeError
from exchanges.gateio.account import GateioAccount
from tests.exchanges.gateio.conftest import KEYS
from tests.exchanges.stub import Reply, Script, Stub

Open = Callable[[Script], tuple[Stub, GateioAccount]]
Samples = dict[str, Any]


FORBIDDEN = Reply({"label": "FORBIDDEN", "message": "Request API key does not have account permission"}, 403)


def asked_for(samples: Samples, **changes: Any) -> Script:
    own = {"key": KEYS.key[:12] + "*****", "perms": [{"name": "spot", "read_only": True}], "ip_whitelist": []}
    answers = {
        "/api/v4/account/detail": samples["detail"],
        "/api/v4/wallet/fee": samples["fee"],
        "/api/v4/account/main_keys": [*samples["main_keys"], own],
    }
    answers |= {f"/api/v4/{path.replace('_', '/', 1)}": answer for path, answer in changes.items()}
    return lambda asked: answers[asked.path]


def test_a_key_for_reading_only(samples: Samples, account: Open) -> None:
    _, reader = account(asked_for(samples))
    info = reader.info()
    assert (info.uid, info.can_read, info.can_trade, info.can_withdraw, info.ip_restricted) == (
        "1667201533",
        True,
        False,
        False,
        True,
    )
    assert (info.maker_commission, info.taker_commission) == (Decimal("0.002"), Decimal("0.002"))
    assert (info.permissions, info.account_type, info.untold) == (("spot:read",), "classic", ())


def keys_with(*rights: tuple[str, bool]) -> list[dict[str, Any]]:
    perms = [{"name": name, "read_only": read_only} for name, read_only in rights]
    return [{"key": KEYS.key[:12] + "*****", "perms": perms}]


def test_whether_a_key_that_writes_may_withdraw_is_not_told(samples: Samples, account: Open) -> None:
    _, reader = account(asked_for(samples, account_main_keys=keys_with(("spot", False), ("wallet", True))))
    info = reader.info()
    assert (info.can_trade, info.can_withdraw, info.untold) == (True, False, ("can_withdraw",))


def test_a_right_to_withdraw_that_is_told_is_believed(samples: Samples, account: Open) -> None:
    _, reader = account(asked_for(samples, account_main_keys=keys_with(("spot", True), ("withdraw", False))))
    info = reader.info()
    assert (info.can_withdraw, info.untold) == (True, ())


def test_a_key_without_the_right_to_spot_cannot_read(samples: Samples, account: Open) -> None:
    _, reader = account(asked_for(samples, account_main_keys=keys_with(("futures", True))))
    assert not reader.info().can_read


@pytest.mark.parametrize(
    "keys",
    [
        FORBIDDEN,
        Reply({"label": "NOT_FOUND", "message": "no path"}, 404),
        [],
        [{"key": "*****", "perms": []}],
        [{"key": KEYS.key[:4] + "****", "perms": []}, {"key": KEYS.key[:5] + "***", "perms": []}],
        [{"key": KEYS.key[:4] + "****none", "perms": []}, "nonsense"],
    ],
    ids=["forbidden", "unknown path", "no keys", "all masked", "two alike", "another"],
)
def test_rights_of_an_unlisted_key_are_not_told(samples: Samples, account: Open, keys: Any) -> None:
    _, reader = account(asked_for(samples, account_main_keys=keys))
    info = reader.info()
    assert (info.can_read, info.can_withdraw, info.permissions, info.untold) == (
        True,
        False,
        (),
        ("can_trade", "can_withdraw"),
    )


def test_who_it_is_is_also_told_by_the_fees(samples: Samples, account: Open) -> None:
    _, reader = account(asked_for(samples, account_detail=FORBIDDEN))
    assert reader.info().uid == "10001"


def test_a_key_without_the_rights_to_tell_whose_it_is(samples: Samples, account: Open) -> None:
    _, reader = account(asked_for(samples, account_detail=FORBIDDEN, wallet_fee=FORBIDDEN))
    with pytest.raises(ExchangeError) as raised:
        reader.info()
    assert raised.value.kind is ErrorKind.PERMISSION


def test_info_without_uid_is_unreadable(samples: Samples, account: Open) -> None:
    nobody = {"user_id": None}
    _, reader = account(asked_for(samples, account_detail=nobody, wallet_fee=samples["fee"] | nobody))
    with pytest.raises(ExchangeError) as raised:
        reader.info()
    assert (raised.value.kind, raised.value.code) == (ErrorKind.DOWN, "unreadable")
