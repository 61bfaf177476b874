"""The formats that are read, and how a file is recognised: by the columns of its header."""

from collections.abc import Mapping
from typing import Final

from core.errors import Invalid
from exchanges.histories import (
    binance_futures,
    binance_products,
    binance_statement,
    bisq,
    bitcoin_tax,
    bittrex,
    bittytax,
    blockpit,
    bybit_closed,
    coinbase_pro,
    cointracking,
    kucoin,
    pionex,
    rotki_trades,
)
from exchanges.histories.history import Format
from exchanges.histories.tables import Table, headers, table

FORMATS: Final[Mapping[str, Format]] = {
    each.name: each
    for each in (
        *(binance_statement.FORMAT, binance_futures.FORMAT, *binance_products.FORMATS),
        *(
            bisq.FORMAT,
            bybit_closed.FORMAT,
            coinbase_pro.FORMAT,
            *bittrex.FORMATS,
            kucoin.FORMAT,
            *pionex.FORMATS,
        ),
        *(cointracking.FORMAT, blockpit.FORMAT, bittytax.FORMAT, bitcoin_tax.FORMAT, rotki_trades.FORMAT),
    )
}


def recognise(text: str, *, name: str | None = None) -> tuple[Format, Table]:
    """The format whose header stands in the file, the one with the most columns of several. Raises Invalid."""
    wanted = FORMATS.values() if name is None else [FORMATS[name]]
    found = [
        (len(one.columns), one, header)
        for header in headers(text)
        for one in wanted
        if one.columns <= set(header.columns)
    ]
    if not found:
        names = ", ".join(one.name for one in wanted)
        first = next((", ".join(header.columns) for header in headers(text)), "no cells")
        raise Invalid(
            f"No header of a format that is known stands in the file's first lines, which begin with {first:.200};"
            f" tried: {names}."
        )
    _, one, header = max(found, key=lambda each: each[0])
    return one, table(text, header)
