"""How exchange accounts look in the API, and what may be sent of them. Names are the frontend's."""

# ruff: noqa: N815  (names of the frontend)
from typing import Any

from rest_framework import serializers

from core.django.serializers import StrictSerializer
from credentials.accounts import ConnectedAccount
from credentials.models import Exchange, KeyState, Mode

_KEY_TEXT = r"\A[\x21-\x7e]*\Z"
_PEM_OR_TEXT = r"\A[\x20-\x7e\r\n]*\Z"  # may be a PEM of several lines
_SECRET_LENGTH = 4096
_ANSWERED = frozenset(
    {
        "id",
        "isActive",
        "keyState",
        "keyNote",
        "keyWarnings",
        "permissions",
        "accountType",
        "canTrade",
        "ipRestricted",
        "checkedAt",
        "createdAt",
    }
)


class ConnectedAccountSerializer(serializers.Serializer[ConnectedAccount]):
    """Never a secret: the key masked, the others empty, as they may be sent back."""

    id = serializers.UUIDField(source="account.id")
    exchange = serializers.ChoiceField(source="account.exchange", choices=Exchange.choices)
    apiKey = serializers.CharField(source="masked_key", help_text="Masked: `****` and the last four.")
    secretKey = serializers.SerializerMethodField(help_text="Always empty.")
    passphrase = serializers.SerializerMethodField(help_text="Always empty.")
    label = serializers.CharField(source="account.label")  # type: ignore[assignment]  # a field, not Field.label
    isActive = serializers.BooleanField(source="account.is_active")
    mode = serializers.ChoiceField(source="account.mode", choices=Mode.choices)
    keyState = serializers.ChoiceField(source="account.key_state", choices=KeyState.choices)
    keyNote = serializers.CharField(source="account.key_note", help_text="What to know or do about the key.")
    keyWarnings = serializers.ListField(
        source="key_warnings",
        child=serializers.CharField(),
        help_text="What the key may do beyond what is needed.",
    )
    permissions = serializers.ListField(
        source="account.permissions",
        child=serializers.CharField(),
        help_text="What the account may do, in the exchange's words.",
    )
    accountType = serializers.CharField(
        source="account.account_type", help_text="The account's mode, in the same."
    )
    canTrade = serializers.BooleanField(source="account.can_trade", allow_null=True)
    ipRestricted = serializers.BooleanField(source="account.ip_restricted", allow_null=True)
    checkedAt = serializers.DateTimeField(source="account.checked_at", allow_null=True)
    createdAt = serializers.DateTimeField(source="account.created_at")

    def get_secretKey(self, _: ConnectedAccount) -> str:  # noqa: N802  (the field's name)
        return ""

    def get_passphrase(self, _: ConnectedAccount) -> str:
        return ""


class _KeySerializer(StrictSerializer):
    """Optional texts; null is as good as empty. What only answers tell may come back and is ignored."""

    ignored = _ANSWERED

    passphrase = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, max_length=512, trim_whitespace=False
    )
    label = serializers.CharField(  # type: ignore[assignment]  # a field, not Field.label
        required=False, allow_blank=True, allow_null=True, max_length=100
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """By the names the service uses, the empty ones left out."""
        names = {"apiKey": "api_key", "secretKey": "secret_key"}
        return {names.get(name, name): value for name, value in attrs.items() if value not in ("", None)}


class NewAccountSerializer(_KeySerializer):
    exchange = serializers.CharField(max_length=20)
    apiKey = serializers.RegexField(_KEY_TEXT, max_length=512)
    secretKey = serializers.RegexField(
        _PEM_OR_TEXT,
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=_SECRET_LENGTH,
        help_text="Only data sources (Alpha Vantage, FRED) have none.",
    )
    mode = serializers.ChoiceField(choices=Mode.choices, required=False)


class AccountChangeSerializer(_KeySerializer):
    ignored = (_ANSWERED - {"isActive"}) | {"exchange", "mode"}
    isActive = serializers.BooleanField(
        required=False, allow_null=True, help_text="Accounts are closed by DELETE alone."
    )
    apiKey = serializers.RegexField(
        _KEY_TEXT, required=False, allow_blank=True, allow_null=True, max_length=512
    )
    secretKey = serializers.RegexField(
        _PEM_OR_TEXT, required=False, allow_blank=True, allow_null=True, max_length=_SECRET_LENGTH
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """To say that an account is closed does not close it: its key is destroyed then, which wants to be meant."""
        if attrs.pop("isActive", True) is False:
            detail = "An account is closed by DELETE, and opened again by saving its key."
            raise serializers.ValidationError({"isActive": [detail]})
        return super().validate(attrs)
