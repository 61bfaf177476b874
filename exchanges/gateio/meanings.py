"""What a row of the spot wallet's ledger stands for, by Gate.io's lists of types and of codes.

Gate.io calls `type` the older of the two: a row whose type says nothing is known by its `code`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from exchanges.rows import TransferKind


class Change(Enum):
    """Coins changed into others: rows of one sort belong together."""

    SWAP = auto()
    DUST = auto()
    DUST_FEE = auto()


@dataclass(frozen=True, slots=True)
class Wallet:
    """Where money went to or came from; the sign of a row says which."""

    name: str


class Told(Enum):
    """By fills, deposits and withdrawals; or nothing that moves money."""

    ELSEWHERE = auto()


Meaning = TransferKind | Change | Wallet | Told

CONTRACTS: Final = Wallet("futures")
_OTHER: Final = Wallet("other")
_MARGIN, _OPTIONS, _EARN = Wallet("margin"), Wallet("options"), Wallet("earn")
_LOAN, _BOTS, _POINTS, _PERSONS = Wallet("loan"), Wallet("bots"), Wallet("points"), Wallet("persons")
_DELIVERY, _SUB_ACCOUNT = Wallet("delivery"), Wallet("sub-account")


def _types(words: str, meaning: Meaning) -> Mapping[str, Meaning]:
    return dict.fromkeys(words.split(), meaning)


TYPES: Final[Mapping[str, Meaning]] = {
    **_types("new_order cancel_order order_fill order_rej order_fee system_fee", Told.ELSEWHERE),
    **_types("deposit deposit_rej deposit_gatecode deposit_fireblock deposit_copper", Told.ELSEWHERE),
    **_types("withdraw withdraw_rej withdraw_gatecode withdraw_fireblock", Told.ELSEWHERE),
    **_types("withdraw_copper cancel_withdraw deposit_finmo", Told.ELSEWHERE),
    **_types("login ch_pass ch_fund_pass login_failed axs_account req_pass_ch", Told.ELSEWHERE),
    **_types("req_fund_pass_ch fund_pass_ent bank_card_add frw", Told.ELSEWHERE),
    **_types("referral_rebate sec_rebate_out sec_rebate_in ab_rebate eb_rebate", TransferKind.REBATE),
    **_types("u_rebate ads_rebate au_rebate pis_rebate pds_rebate pu_rebate", TransferKind.REBATE),
    **_types("deposit_bonus trading_rewards purchase_bonus airdrop award", TransferKind.AIRDROP),
    **_types("mining_rewards rp_rcvd ls_rcvd pt_rcvd", TransferKind.AIRDROP),
    **_types("interest_in hodl_int slot_int_in str_int_in", TransferKind.INTEREST),
    **_types(
        "interest_out margin_interest_out lending_fee c2c_fee fct_fee fct_fee_refund", TransferKind.CHARGE
    ),
    **_types("subs_deduct subs_refund quant_cmn_out quant_cmn_rtd", TransferKind.CHARGE),
    **_types("eth_swap cv_buy cv_sell", Change.SWAP),
    **_types("dust_swap_dctd dust_swap_gt_add", Change.DUST),
    "dust_swap_fee": Change.DUST_FEE,
    **_types("perp_in perp_out perp_settle_in perp_settle_out", CONTRACTS),
    **_types("margin_in margin_out cross_in cross_out", _MARGIN),
    **_types("margin_borrow margin_repay borrow repay cross_borrow cross_repay", _LOAN),
    **_types("cl_borrow cl_repay cl_dctd cl_rtd", _LOAN),
    **_types("delivery_in delivery_out", _DELIVERY),
    **_types("options_in options_out e_options_in e_options_out", _OPTIONS),
    **_types("cbbc_in cbbc_out warrant_in warrant_out", _OPTIONS),
    **_types("lending_in lending_out lending_lent collected redeem lend ai_in ai_out", _EARN),
    **_types("dual_purchased dual_settled liq_add liq_rm liq_rebalanced", _EARN),
    **_types("quant_in quant_out quant_return fct_in fct_out fct_refund fct_rcvd quant_cmn_in", _BOTS),
    "subaccount_trf": _SUB_ACCOUNT,
    **_types("points_purchase points_expiration points_trf points_trf_rej", _POINTS),
    **_types("c2c_mop c2c_moc c2c_rop c2c_roc c2c_om c2c_or donation rp_sent rp_rej", _PERSONS),
    **_types("ls_offered pt_offered subs_in subs_in_rcvd", _PERSONS),
    **_types("push_dctd push_rcvd_dctd push_canceled push_rej push_sent push_rcvd", _PERSONS),
    **_types("spot_settle_in spot_settle_out pay_in pay_out buy_cl buy_cc", _OTHER),
    **_types("startup_withdraw startup_prtcp startup_refund startup_sale startup_sale_rb", _OTHER),
    **_types("nft_mp nft_bm nft_om ntf_mr nft_amr nft_ocb nft_fb nft_fs nft_ob nft_os nft_cr", _OTHER),
    **_types("nft_ir nft_wf nft_wfr ntf_mf ntf_mfr ntf_royalty nft_cd nft_crd nft_cf nft_cfr", _OTHER),
    **_types("nft_ammf nft_ammw nft_ammdf nft_ammd", _OTHER),
}


def _codes(meaning: Meaning, *codes: int | Iterable[int]) -> Mapping[str, Meaning]:
    each = [code for some in codes for code in ([some] if isinstance(some, int) else some)]
    return {str(code): meaning for code in each}


# Blocks of codes first: what is said of one of them afterwards counts.
CODES: Final[Mapping[str, Meaning]] = {
    **_codes(_PERSONS, range(301, 319), range(801, 808), range(1001, 1009), range(1901, 1909)),
    **_codes(_OTHER, 105, 107, 108, 114, 118, 120, 141, 142, 322, range(323, 332), 501, 502),
    **_codes(_OTHER, 1201, 1202, range(2501, 2555), 2603, 2604, 2611),
    **_codes(_LOAN, 607, 608, range(614, 617), range(630, 650), range(655, 661), range(670, 680), 685),
    **_codes(_EARN, 603, 604, 610, 611, 621, 622, 624, 625, 661, 662, 686, 687, range(721, 754), 761),
    **_codes(_EARN, 911, 912, 1181, 1184, 1191, 1194, 1251, 1253, 1258, 2001, 2004, 2011, 2012, 2021),
    **_codes(_EARN, 2022, 2202, 2203, range(2301, 2304), 2311, 2312),
    **_codes(_POINTS, range(901, 904), 913, 915, 917, 1101, 1102),
    **_codes(_PERSONS, 106, range(1502, 1505)),
    **_codes(_BOTS, range(1701, 1704), 2401, 2403),
    **_codes(_OPTIONS, range(1601, 1605), 1801, 1802, 1811, 1812),
    **_codes(_MARGIN, 601, 602, 605, 606, 651, 652, 673, 674),
    **_codes(CONTRACTS, 701, 702, 705, 706),
    **_codes(_DELIVERY, 703, 704),
    **_codes(_SUB_ACCOUNT, 1401),
    **_codes(Told.ELSEWHERE, 1, 2, 4, 9, range(17, 21), range(101, 105), 110, 112, 113, 115, 116, 117),
    **_codes(Told.ELSEWHERE, 121, 122, 124, 131, 132, 151, 152, 171, 172),
    **_codes(TransferKind.REBATE, 109, 161, 162, 164, 166, 191, 196, 739),
    **_codes(TransferKind.AIRDROP, range(401, 406), 681, 689, 802, 805, 807, 1171, 1173, 1174, 2314, 2614),
    **_codes(TransferKind.INTEREST, 612, 623, 626, 627, 628, 629, 688, 723, 726, 730, 732, 736, 738),
    **_codes(TransferKind.INTEREST, 754, 1186, 1196, 1255),
    **_codes(TransferKind.CHARGE, 111, 123, 308, 319, 613, 616, 635, 644, 649, 669, 672, 676, 679, 696, 697),
    **_codes(TransferKind.CHARGE, 1501, 2402),
    **_codes(Change.SWAP, 181, 182, 2601, 2602, range(2605, 2611), 2612, 2613),
    **_codes(Change.DUST, 1301, 1302, 1307, range(1310, 1313), 1322, 1323),
    **_codes(Change.DUST_FEE, 1303),
}


def meaning(kind: str, code: str) -> Meaning | None:
    """None for what neither of Gate.io's lists names."""
    return TYPES.get(kind) or CODES.get(code)
