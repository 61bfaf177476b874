"""What the words of Binance's transaction history mean.

As the exchange writes them in its exports since 2020; what it says of wallets is in `WALLETS`.
"""

from enum import Enum, auto
from typing import Final, NamedTuple


class Meaning(Enum):
    LEG = auto()  # one side of a trade or conversion; the sign says which
    FEE = auto()  # of a purchase, sale or trade in the same second
    DEPOSIT = auto()
    WITHDRAWAL = auto()
    INTEREST = auto()
    GIFT = auto()
    REBATE = auto()
    MOVE = auto()  # between wallets
    CONTRACT = auto()  # a contract's result, which its executions tell


class Operation(NamedTuple):
    meaning: Meaning
    group: str = ""
    """Of legs: what they are together. Of moves: the wallet beside the one the line is of."""


TRADE: Final = "trade"
PURCHASE: Final = "purchase"
SALE: Final = "sale"
TRADES: Final = (PURCHASE, SALE, TRADE)
DUST: Final = "dust"
SWAP: Final = "swap"
_EARN: Final = "earn"

WALLETS: Final = {
    "Spot": "spot",
    "Funding": "funding",
    "USD-MFutures": "futures",
    "USD-M Futures": "futures",
    "Coin-MFutures": "futures",
    "COIN-M Futures": "futures",
    "Earn": _EARN,
    "Strategy": "strategy",
    "Cross Margin": "margin",
    "CrossMargin": "margin",
    "Isolated Margin": "margin",
    "IsolatedMargin": "margin",
}

_LEGS: Final = {
    TRADE: ("Buy", "Sell", "Transaction Related"),
    PURCHASE: ("Transaction Buy", "Transaction Spend"),
    SALE: ("Transaction Sold", "Transaction Revenue"),
    "conversion": ("Binance Convert", "Large OTC trading", "Auto-Invest Transaction"),
    DUST: ("Small assets exchange BNB", "Small Assets Exchange BNB"),
    SWAP: (
        *("Asset Recovery", "Token Swap - Distribution", "Token Swap - Redenomination/Rebranding"),
        "Token Swap - Redenomination",
    ),
    "ETH staking": ("ETH 2.0 Staking", "WBETH2.0 - Staking", "ETH 2.0 Staking Withdrawals"),
    "SOL staking": ("SOL Staking - Purchase", "SOL Staking - Redeem"),
    "sale for money": ("Sell Crypto To Fiat",),
}
_PLAIN: Final = {
    Meaning.FEE: ("Fee", "Transaction Fee"),
    Meaning.DEPOSIT: (
        "Deposit",
        "Fiat Deposit",
        "Buy Crypto",
        "Buy Crypto With Fiat",
        "Buy Crypto With Card",
    ),
    Meaning.WITHDRAWAL: (
        *("Withdraw", "Fiat Withdraw", "Fiat Withdrawal", "Merchant Acquiring", "Binance Card Spending"),
        "Send",
    ),
    Meaning.INTEREST: (
        *("Savings Interest", "POS savings interest", "Simple Earn Flexible Interest", "Staking Rewards"),
        *(
            "Simple Earn Locked Rewards",
            "ETH 2.0 Staking Rewards",
            "Launchpool Interest",
            "BNB Vault Rewards",
        ),
        *(
            "BNSOL Staking - Extra Rewards",
            "Liquid Swap rewards",
            "DeFi Staking Interest",
            "Swap Farming Rewards",
        ),
    ),
    Meaning.GIFT: (
        *("Airdrop Assets", "Distribution", "Crypto Box", "HODLer Airdrops Distribution"),
        *("Launchpool Airdrop - System Distribution", "Launchpool Airdrop - User Claim Distribution"),
        *("Cash Voucher Distribution", "Cash Voucher distribution", "Mission Reward Distribution"),
        *("Launchpad Token Distribution", "Megadrop Rewards"),
    ),
    Meaning.REBATE: (
        *(
            "Cashback Voucher",
            "Commission Rebate",
            "Commission History",
            "Referral Kickback",
            "Referrer rebates",
        ),
        *("Strategy Trading Fee Rebate", "BNB Fee Deduction", "Referral Commission", "Trading Fee Rebate"),
    ),
    Meaning.CONTRACT: (
        *(
            "Funding Fee",
            "Realized Profit and Loss",
            "Realize profit and loss",
            "Insurance fund compensation",
        ),
        *("Isolated Margin Loan", "Isolated Margin Repayment", "Margin Loan", "Margin Repayment"),
    ),
}
_MOVES: Final = {
    _EARN: (
        *(
            "Savings purchase",
            "Savings Principal redemption",
            "POS savings purchase",
            "POS savings redemption",
        ),
        *("Staking Purchase", "Staking Redemption", "DeFi Staking purchase", "DeFi Staking redemption"),
        *("Simple Earn Flexible Subscription", "Simple Earn Flexible Redemption"),
        *("Simple Earn Locked Subscription", "Simple Earn Locked Redemption"),
        *("Launchpool Subscription/Redemption", "Liquid Swap add", "Liquid Swap remove"),
    ),
    "funding": (
        "Transfer Between Main and Funding Wallet",
        "Transfer Between Spot and Funding Wallet",
        "Transfer Between Main Account and Funding Account",
    ),
    "futures": (
        *("Transfer Between Spot Account and UM Futures Account", "transfer_out", "transfer_in"),
        "Transfer Between Spot Account and CM Futures Account",
        "Transfer Between Main Account/Futures and Futures Account",
    ),
    "strategy": ("Transfer Between Spot and Strategy Account",),
    "margin": (
        "Transfer Between Main Account/Futures and Margin Account",
        "Main Account/Futures and Margin Account",
        "Transfer Between Main Account and Margin Account",
    ),
}
OPERATIONS: Final = {
    **{word: Operation(Meaning.LEG, group) for group, words in _LEGS.items() for word in words},
    **{word: Operation(meaning) for meaning, words in _PLAIN.items() for word in words},
    **{word: Operation(Meaning.MOVE, wallet) for wallet, words in _MOVES.items() for word in words},
}
