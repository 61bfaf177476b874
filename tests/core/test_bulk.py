from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.django import bulk
from core.money import InvalidAmount
from marketdata.models import Listing, Symbol, Ticker

pytestmark = pytest.mark.django_db
AT = datetime(2026, 2, 1, 10, tzinfo=UTC)
LATER = datetime(2026, 2, 1, 11, tzinfo=UTC)


def symbols(*rows: tuple[str, str, str], **given: Any) -> list[tuple[Any, ...]]:
    return bulk.upsert(
        table="marketdata_symbol",
        columns=("symbol_name", "base_asset", "quote_asset"),
        rows=rows,
        key=("symbol_name",),
        **{"returning": ("symbol_name",), **given},
    )


def stored() -> dict[str, str]:
    return dict(Symbol.objects.values_list("symbol_name", "base_asset"))


def test_new_rows_are_inserted_and_told() -> None:
    assert symbols(("A_B", "A", "B"), ("C_D", "C", "D")) == [(True, "A_B"), (True, "C_D")]
    assert stored() == {"A_B": "A", "C_D": "C"}


def test_without_columns_to_update_a_known_row_stays() -> None:
    symbols(("A_B", "A", "B"))

    assert symbols(("A_B", "X", "B")) == []
    assert stored() == {"A_B": "A"}


def test_a_changed_row_is_updated_and_told_from_a_new_one() -> None:
    symbols(("A_B", "A", "B"))

    assert symbols(("A_B", "X", "B"), ("C_D", "C", "D"), update=("base_asset",)) == [
        (False, "A_B"),
        (True, "C_D"),
    ]
    assert stored() == {"A_B": "X", "C_D": "C"}


def test_an_unchanged_row_is_not_written() -> None:
    symbols(("A_B", "A", "B"))
    before = _version()

    assert symbols(("A_B", "A", "B"), update=("base_asset", "quote_asset")) == []
    assert _version() == before


def _version() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid, xmin FROM marketdata_symbol")
        return cursor.fetchone()


def test_a_condition_holds_an_update_back() -> None:
    symbols(("A_B", "A", "B"))

    assert symbols(("A_B", "X", "B"), update=("base_asset",), where="stored.base_asset > 'B'") == []


def test_a_merge_may_name_both_rows() -> None:
    symbols(("A_B", "A", "B"))

    symbols(("A_B", "X", "B"), update={"base_asset": "stored.base_asset || excluded.base_asset"})

    assert stored() == {"A_B": "AX"}


def test_a_merge_writes_where_its_condition_says() -> None:
    symbols(("A_B", "A", "B"))

    merge = {"base_asset": "stored.base_asset"}
    assert symbols(("A_B", "X", "B"), update=merge, where="stored.base_asset <> excluded.base_asset") == [
        (False, "A_B")
    ]
    assert symbols(("A_B", "A", "B"), update=merge, where="stored.base_asset <> excluded.base_asset") == []
    assert stored() == {"A_B": "A"}


def test_a_key_given_twice_is_written_twice_in_order() -> None:
    written = symbols(("A_B", "A", "B"), ("A_B", "X", "B"), ("A_B", "Y", "B"), update=("base_asset",))

    assert written == [(True, "A_B"), (False, "A_B"), (False, "A_B")]
    assert stored() == {"A_B": "Y"}


def test_rows_may_come_from_a_generator_longer_than_a_statement() -> None:
    written = symbols(*((f"{number}_B", "A", "B") for number in range(bulk.CHUNK * 2 + 1)))

    assert len(written) == Symbol.objects.count() == 2 * bulk.CHUNK + 1


def test_no_rows_need_no_statement() -> None:
    symbols(("A_B", "A", "B"))

    with CaptureQueriesContext(connection) as queries:
        assert symbols() == []
    assert len(queries) == 0


def test_three_rows_take_one_statement() -> None:
    symbols(("A_B", "A", "B"))  # reads the table's columns, once in a process

    with CaptureQueriesContext(connection) as queries:
        symbols(*((f"{number}_B", "A", "B") for number in range(3)))
    assert len(queries) == 1


def test_a_summary_answers_for_all_rows_of_a_statement() -> None:
    counted = symbols(("A_B", "A", "B"), ("C_D", "C", "D"), summary="SELECT count(*) FROM written")

    assert counted == [(2,)]


def test_texts_with_quotes_percents_and_backslashes_arrive_as_they_are() -> None:
    symbols(("A_B", "a'b\"c\\d%s%%\t\n✓", "B"))

    assert stored() == {"A_B": "a'b\"c\\d%s%%\t\n✓"}


def _listing() -> Listing:
    symbol = Symbol.objects.create(symbol_name="A_B", base_asset="A", quote_asset="B")
    return Listing.objects.create(
        symbol=symbol, exchange="binance", name="AB", status="TRADING", is_trading=True, updated_at=AT
    )


def tickers(price: Any, read_at: datetime = AT, listing_id: int | None = None) -> list[tuple[Any, ...]]:
    return bulk.upsert(
        table="marketdata_ticker",
        columns=("listing_id", "price"),
        rows=[(listing_id or _listing().id, price)],
        key=("listing_id",),
        update=("price", "read_at"),
        fixed={"read_at": read_at},
    )


def test_a_fixed_column_has_one_value_for_all_rows() -> None:
    tickers(Decimal("1.5"))

    assert Ticker.objects.values_list("price", "read_at").get() == (Decimal("1.5"), AT)


@pytest.mark.parametrize("price", [Decimal("1E-18"), Decimal("99999999999999999999.999999999999999999"), 7])
def test_an_amount_comes_back_to_the_last_digit(price: Any) -> None:
    tickers(price)

    assert Ticker.objects.get().price == price


@pytest.mark.parametrize(
    "price",
    [Decimal("1E-19"), Decimal("1E+20"), Decimal("NaN"), Decimal("Infinity"), 1.5, "1.5", True],
    ids=str,
)
def test_an_amount_that_would_change_on_the_way_is_refused(price: Any) -> None:
    with pytest.raises(InvalidAmount, match=r"marketdata_ticker\.price"):
        tickers(price)


def test_an_update_changes_only_rows_that_differ() -> None:
    symbols(("A_B", "A", "B"), ("C_D", "C", "D"))

    changed = bulk.update(
        table="marketdata_symbol",
        columns=("symbol_name", "base_asset"),
        rows=[("A_B", "A"), ("C_D", "X"), ("E_F", "Y")],
        key=("symbol_name",),
    )

    assert changed == 1
    assert stored() == {"A_B": "A", "C_D": "X"}
