"""Query parameters of `/{exchange}/*`. Times are milliseconds, as exchanges take them; both ends are in."""

# ruff: noqa: N815  (names of exchanges)
from typing import Any, Final

from rest_framework import serializers

from core.django.serializers import QuerySerializer
from credentials.models import Mode
from orders.selectors import MOST

MARKETS: Final = ("spot", "futures", "all")
_LAST_MS: Final = 253402300799998  # of the year 9999 but one: the moment after it is one, too


class LiveQuery(QuerySerializer):
    live = serializers.BooleanField(
        default=False,
        help_text="Ask the exchange first, for up to 10 seconds; what is stored, marked stale, when that fails.",
    )


class AccountQuery(LiveQuery):
    account = serializers.CharField(
        required=False,
        max_length=100,
        help_text="Id or label of one account; all live ones at this exchange if left out.",
    )
    mode = serializers.ChoiceField(
        choices=Mode.choices, required=False, help_text="`demo` for demo accounts; modes are never summed."
    )


class WalletQuery(AccountQuery):
    market = serializers.ChoiceField(
        choices=MARKETS, default="spot", help_text="`futures` for contracts, `all` for both."
    )


class _PageQuery(AccountQuery):
    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=MOST)
    cursor = serializers.CharField(required=False, max_length=80, help_text="From the Link header.")


class _TimeQuery(_PageQuery):
    startTime = serializers.IntegerField(
        required=False, min_value=0, max_value=_LAST_MS, help_text="Milliseconds."
    )
    endTime = serializers.IntegerField(
        required=False, min_value=0, max_value=_LAST_MS, help_text="Milliseconds; any span will do."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("startTime", 0) > attrs.get("endTime", _LAST_MS):
            raise serializers.ValidationError({"endTime": ["This is before startTime."]})
        return attrs


class OpenOrdersQuery(_PageQuery):
    symbol = serializers.CharField(required=False, max_length=40, help_text="As on the exchange.")
    market = serializers.ChoiceField(
        choices=MARKETS, default="spot", help_text="`futures` for contracts, `all` for both."
    )


class SymbolHistoryQuery(_TimeQuery):
    symbol = serializers.CharField(required=False, max_length=40, help_text="As on the exchange.")
    market = serializers.ChoiceField(
        choices=MARKETS, default="spot", help_text="`futures` for contracts, `all` for both."
    )


class CoinHistoryQuery(_TimeQuery):
    coin = serializers.CharField(required=False, max_length=20)


class SnapshotQuery(AccountQuery):
    period = serializers.CharField(
        default="30d", max_length=20, help_text="`30d`, `1y`, or `daily`, `weekly`, `monthly`, `all_time`."
    )


class TickersQuery(LiveQuery):
    symbol = serializers.CharField(required=False, max_length=40, help_text="As on the exchange.")
    market = serializers.ChoiceField(
        choices=MARKETS, default="spot", help_text="`futures` for contracts, `all` for both."
    )
