"""Query parameters that every route about accounts takes."""

from rest_framework import serializers

from core.django.serializers import QuerySerializer
from credentials.models import Exchange, Mode


class ScopeQuery(QuerySerializer):
    """Without any: all live accounts."""

    exchange = serializers.ChoiceField(
        choices=Exchange.choices, required=False, help_text="Only accounts at this exchange."
    )
    account = serializers.CharField(required=False, max_length=100, help_text="Id or label of one account.")
    mode = serializers.ChoiceField(
        choices=Mode.choices, required=False, help_text="`demo` for demo accounts; modes are never summed."
    )
