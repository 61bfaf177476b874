from portfolio.accounting.exits import ExitType, exit_type


def test_liquidation_decides_before_the_role() -> None:
    assert exit_type(role="TP1", closes_position=True, is_liquidation=True) is ExitType.LIQUIDATION


def test_the_orders_role_decides_before_what_it_left() -> None:
    found = [exit_type(role=role, closes_position=False) for role in ("TP", "TP1", "TP12", "SL")]
    assert found == [ExitType.TP, ExitType.TP, ExitType.TP, ExitType.SL]


def test_an_order_without_a_protective_role_is_manual_when_it_closes() -> None:
    assert [exit_type(role=role, closes_position=True) for role in (None, "ENTRY")] == [ExitType.MANUAL] * 2


def test_an_order_without_a_role_that_leaves_coins_is_partial() -> None:
    assert exit_type(role=None, closes_position=False) is ExitType.PARTIAL
