"""How fills and orders look in the API, and by what they are looked for. Amounts are text."""

from rest_framework import serializers

from core.django.serializers import StrictSerializer
from credentials.queries import ScopeQuery
from exchanges.rows import MarketType
from orders import strategies
from orders.models import Fill, FundingPayment, Order, Side
from orders.selectors import FILL_FIELDS, FUNDING_FIELDS, MOST, ORDER_FIELDS


class _FactQuery(ScopeQuery):
    """What lists of facts share. `since` is in, `until` is not."""

    symbol = serializers.CharField(required=False, max_length=40, help_text="As on the exchange.")
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=50)
    cursor = serializers.CharField(
        required=False, max_length=80, help_text="`next_cursor` of the page before."
    )


class _TradeQuery(_FactQuery):
    market_type = serializers.ChoiceField(choices=[each.value for each in MarketType], required=False)
    side = serializers.ChoiceField(choices=Side.choices, required=False)


class FundingQuery(_FactQuery):
    """Of contracts."""


class FillQuery(_TradeQuery):
    order_id = serializers.CharField(required=False, max_length=64, help_text="The exchange's order id.")


class OrderQuery(_TradeQuery):
    status = serializers.CharField(required=False, max_length=20)
    role = serializers.CharField(required=False, max_length=10, help_text="ENTRY, TP1…TPn, SL.")
    group_id = serializers.CharField(required=False, max_length=100)
    strategy = serializers.CharField(required=False, max_length=60)
    tag = serializers.CharField(required=False, max_length=40)


class OrderNotesSerializer(StrictSerializer):
    """What is left out stays."""

    strategy = serializers.CharField(
        required=False,
        max_length=60,
        allow_blank=True,
        help_text="Above what prefixes say; empty: by them again.",
    )
    note = serializers.CharField(required=False, max_length=5000, allow_blank=True)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=strategies.MOST_TAGS
    )


class PrefixSerializer(StrictSerializer):
    prefix = serializers.CharField(max_length=100, help_text="How the client order ids begin.")
    strategy = serializers.CharField(max_length=60)


class FillSerializer(serializers.ModelSerializer[Fill]):
    """One execution. A `fee_amount` below zero is a rebate.

    Of contracts `quantity` is in the base asset (inverse ones: in the quote asset); `realized_pnl` is the exchange's
    own, before fees, in the settle asset, and null where it tells none.
    """

    account_id = serializers.UUIDField()
    exchange = serializers.CharField()
    strategy = serializers.CharField(help_text="Of its order.")

    class Meta:
        model = Fill
        fields = (*FILL_FIELDS, "strategy", "exchange")


class OrderSerializer(serializers.ModelSerializer[Order]):
    """An order as last seen; `role` and `group_id` tie entry, take-profits and stop together."""

    account_id = serializers.UUIDField()
    parent_id = serializers.IntegerField(allow_null=True)
    exchange = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Order
        fields = (*ORDER_FIELDS, "exchange")


class FundingSerializer(serializers.ModelSerializer[FundingPayment]):
    """What a position received (`amount` above zero) or paid for being held; rate and quantity where told."""

    account_id = serializers.UUIDField()
    exchange = serializers.CharField()

    class Meta:
        model = FundingPayment
        fields = (*FUNDING_FIELDS, "exchange")


class FundingPageSerializer(serializers.Serializer[object]):
    results = FundingSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class FillPageSerializer(serializers.Serializer[object]):
    results = FillSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class OrderPageSerializer(serializers.Serializer[object]):
    results = OrderSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True)
