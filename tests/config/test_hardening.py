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
    "origins": ["https://app.example.com"],
    "exchange_urls": "binance=https://api.example.com",
    "site_url": "https://trader.example.com",
    "email_backend": "django.core.mail.backends.smtp.EmailBackend",
    "database": {"HOST": "", "OPTIONS": {}},
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
        ({"token_secret": SAFE["secret_key"]}, "JWT_TOKEN_SECRET"),
        ({"hosts": ["*.example.com"]}, "ALLOWED_HOSTS"),
        ({"hosts": [".com"]}, "ALLOWED_HOSTS"),
        ({"hosts": ["trader.example.com", ".co.uk"]}, "ALLOWED_HOSTS"),
        ({"origins": ["http://app.example.com"]}, "CORS_ALLOWED_ORIGINS"),
        ({"origins": ["null"]}, "CORS_ALLOWED_ORIGINS"),
        ({"site_url": "http://trader.example.com"}, "SITE_URL"),
        ({"email_backend": "django.core.mail.backends.console.EmailBackend"}, "EMAIL_URL"),
    ],
)
def test_each_unsafe_setting_is_refused_by_name(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=named):
        hardening.refuse_unsafe(**(SAFE | changed))


@pytest.mark.parametrize("host", [".example.com", "example.co.uk", "[2001:db8::1]"])
def test_hosts_of_ones_own_are_let_through(host: str) -> None:
    hardening.refuse_unsafe(**(SAFE | {"hosts": [host]}))


@pytest.mark.parametrize(
    "database",
    [
        {"HOST": "", "OPTIONS": {}},
        {"HOST": "localhost", "OPTIONS": {}},
        {"HOST": "127.0.0.1", "OPTIONS": {"sslmode": "disable"}},
        {"HOST": "[::1]"},
        {"HOST": "/var/run/postgresql"},
        {"HOST": "", "OPTIONS": {"host": "/var/run/postgresql"}},
        {"HOST": "db.example.com", "OPTIONS": {"sslmode": "require"}},
        {"HOST": "db.example.com", "OPTIONS": {"sslmode": "verify-full"}},
    ],
)
def test_a_database_here_or_over_tls_is_let_through(database: dict[str, Any]) -> None:
    hardening.refuse_unsafe(**(SAFE | {"database": database}))


@pytest.mark.parametrize(
    "database",
    [
        {"HOST": "db.example.com"},
        {"HOST": "db", "OPTIONS": {}},
        {"HOST": "10.0.0.7", "OPTIONS": {"sslmode": "disable"}},
        {"HOST": "db.example.com", "OPTIONS": {"sslmode": "prefer"}},
        {"HOST": "", "OPTIONS": {"host": "db.example.com"}},
        {"HOST": "[2001:db8::1]", "OPTIONS": {"sslmode": "allow"}},
        {"HOST": "localhost,db.example.com"},
    ],
)
def test_a_database_elsewhere_without_tls_is_refused(database: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured, match="sslmode=verify-full"):
        hardening.refuse_unsafe(**(SAFE | {"database": database}))
