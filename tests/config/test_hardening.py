"""Production does not start with what would give users' data away."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import hardening

SAFE: dict[str, Any] = {
    "debug": False,
    "secret_key": "0123456789abcdef" * 4,
    "token_secret": "fedcba9876543210" * 4,
    "hosts": ["trader.example.com"],
    "exchange_urls": "binance=https://api.example.com",
}


def test_safe_settings_are_let_through() -> None:
    hardening.refuse_unsafe(**SAFE)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"debug": True}, "DEBUG"),
        ({"secret_key": "short"}, "SECRET_KEY"),
        ({"secret_key": "unset-development-key" * 3}, "SECRET_KEY"),
        ({"secret_key": "ab" * 40}, "SECRET_KEY"),
        ({"token_secret": "short"}, "JWT_TOKEN_SECRET"),
        ({"hosts": []}, "ALLOWED_HOSTS"),
        ({"hosts": ["trader.example.com", "*"]}, "ALLOWED_HOSTS"),
        ({"exchange_urls": "binance=http://api.example.com"}, "EXCHANGE_URLS"),
        ({"exchange_urls": "binance=HTTP://api.example.com"}, "EXCHANGE_URLS"),
    ],
)
def test_each_unsafe_setting_is_refused_by_name(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=named):
        hardening.refuse_unsafe(**(SAFE | changed))
