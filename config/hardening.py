"""What production settings refuse to start with."""

from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured

_MINIMUM_SECRET = 50


def refuse_unsafe(*, debug: bool, secret_key: str, hosts: Sequence[str], exchange_urls: str) -> None:
    """Raise ImproperlyConfigured, saying what to set, for anything unsafe in production."""
    if debug:
        raise ImproperlyConfigured("PRODUCTION with DEBUG shows secrets in error pages: unset DEBUG.")
    if len(secret_key) < _MINIMUM_SECRET or secret_key.startswith("unset") or len(set(secret_key)) < 10:
        raise ImproperlyConfigured(f"Set SECRET_KEY to at least {_MINIMUM_SECRET} random characters.")
    if not hosts or "*" in hosts:
        raise ImproperlyConfigured("Set ALLOWED_HOSTS to the names this server answers to.")
    if "http://" in exchange_urls:
        raise ImproperlyConfigured("EXCHANGE_URLS points at plain http: keys would travel in the clear.")
