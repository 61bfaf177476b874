"""What a liquidation costs beside the usual fee, where a house tells it as part of the fill."""

from exchanges.simulators.contract_account import MarginAccount
from exchanges.simulators.contract_facts import ContractFill


def fee_of(margin: MarginAccount, row: ContractFill) -> int:
    """What the house takes from the margin that a liquidating fill leaves; 0 for any other fill."""
    if not row.is_liquidation:
        return 0
    return -sum(
        each.amount
        for each in margin.incomes
        if each.amount < 0 and (each.contract, each.happened_at) == (row.contract, row.executed_at)
    )
