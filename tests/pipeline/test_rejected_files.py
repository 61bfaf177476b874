"""Rows set aside elsewhere, where an export is read in."""

from datetime import UTC, datetime

import msgspec
import pytest

from core.django import tenancy
from credentials.models import ExchangeAccount
from pipeline.models import RejectedRow
from pipeline.rejected_files import stores
from portfolio.exports.records import RejectedRecord
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, tzinfo=UTC)


def row(account: ExchangeAccount, number: int, position: str) -> RejectedRecord:
    return RejectedRecord(
        account=account.id, stream="fills", scope="", position=position, reason="odd", digest=f"{number:064}",
        raw=msgspec.Raw(b'{"line": "1,BTC"}'),
    )  # fmt: skip


@pytest.mark.parametrize(("is_active", "kept"), [(True, ["file:x"]), (False, ["7", "file:x"])])
def test_an_account_that_is_read_here_takes_lines_of_files_alone(is_active: bool, kept: list[str]) -> None:
    account = AccountFactory.create(is_active=is_active)
    store = stores(at=AT)[RejectedRecord]
    with tenancy.acting_as(account.user_id):
        rows = [row(account, 1, "7"), row(account, 2, "file:x")]
        assert [store(account, rows).stored, store(account, rows).stored] == [len(kept), 0]
        assert sorted(RejectedRow.objects.values_list("position", flat=True)) == kept
        assert RejectedRow.objects.values_list("raw", flat=True)[0] == {"line": "1,BTC"}
