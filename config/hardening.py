"""What production settings refuse to start with."""

from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured

_MINIMUM_SECRET = 50


def refuse_unsafe(
    *, debug: bool, secret_key: str, token_secret: str, hosts: Sequence[str], exchange_urls: str
) -> None:
    """Raise ImproperlyConfigured, saying what to set, for anything unsafe in production."""
    if debug:
        raise ImproperlyConfigured("PRODUCTION with DEBUG shows secrets in error pages: unset DEBUG.")
    for name, secret in (("SECRET_KEY", secret_key), ("JWT_TOKEN_SECRET", token_secret)):
        if len(secret) < _MINIMUM_SECRET or secret.startswith("unset") or len(set(secret)) < 10:
            raise ImproperlyConfigured(f"Set {name} to at least {_MINIMUM_SECRET} random characters.")
    if not hosts or "*" in hosts:
        raise ImproperlyConfigured("Set ALLOWED_HOSTS to the names this server answers to.")
    if "http://" in exchange_urls.lower():
        raise ImproperlyConfigured("EXCHANGE_URLS points at plain http: keys would travel in the clear.")
