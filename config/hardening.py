"""What production settings refuse to start with. Each refusal says what to set."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import limits
from django.core.exceptions import ImproperlyConfigured

_MINIMUM_SECRET: Final = 50
_LOCAL_HOSTS: Final = ("", "localhost", "127.0.0.1", "::1")
_ENCRYPTED: Final = ("require", "verify-ca", "verify-full")
# Under these names of a country everybody may have a host, as under `.com`.
_SHARED: Final = frozenset({"ac", "co", "com", "edu", "gob", "gov", "gv", "ne", "net", "or", "org"})
_CONSOLE: Final = "django.core.mail.backends.console.EmailBackend"


def refuse_unsafe(
    *,
    debug: bool,
    secret_key: str,
    token_secret: str,
    hosts: Sequence[str],
    origins: Sequence[str],
    exchange_urls: str,
    site_url: str,
    email_backend: str,
    database: Mapping[str, Any],
) -> None:
    """Raise ImproperlyConfigured, saying what to set, for anything unsafe in production. `database` is Django's."""
    if debug:
        _refuse("PRODUCTION with DEBUG shows secrets in error pages: unset DEBUG.")
    _refuse_secrets(secret_key, token_secret)
    _refuse_hosts(hosts)
    _refuse_plain_http(origins, exchange_urls, site_url)
    if email_backend == _CONSOLE:
        _refuse(
            "Mails would go to the log, their one-time links with them: set EMAIL_URL, e.g."
            " smtp+tls://user:password@mail.example.com:587, or dummymail:// to send none."
        )
    _refuse_plain_database(database)


def refuse_unreadable_rates(**rates: str) -> None:
    """Raise ImproperlyConfigured for a rate that is no `600/minute`: found at the first request, it would be a 500."""
    for name, rate in rates.items():
        try:
            if rate:
                limits.parse(rate)
        except ValueError:
            _refuse(f"{name} is a count and a window such as 600/minute, or empty; {rate!r} is neither.")


def _refuse(text: str) -> NoReturn:
    raise ImproperlyConfigured(text)


def _refuse_secrets(secret_key: str, token_secret: str) -> None:
    for name, secret in (("SECRET_KEY", secret_key), ("JWT_TOKEN_SECRET", token_secret)):
        if len(secret) < _MINIMUM_SECRET or secret.startswith("unset") or len(set(secret)) < 10:
            _refuse(f"Set {name} to at least {_MINIMUM_SECRET} random characters.")
    if secret_key == token_secret:
        _refuse("Set JWT_TOKEN_SECRET to something else than SECRET_KEY, so that one can be changed alone.")


def _refuse_hosts(hosts: Sequence[str]) -> None:
    if not hosts or any("*" in host for host in hosts):
        _refuse("Set ALLOWED_HOSTS to the names this server answers to.")
    for host in hosts:
        labels = host.strip(".").split(".")
        is_shared = len(labels) == 1 or (len(labels) == 2 and labels[0] in _SHARED and len(labels[1]) == 2)
        if host.startswith(".") and is_shared:
            _refuse(
                f"ALLOWED_HOSTS has {host!r}, under which anybody may have a host: name this server's own."
            )


def _refuse_plain_http(origins: Sequence[str], exchange_urls: str, site_url: str) -> None:
    if "http://" in exchange_urls.lower():
        _refuse("EXCHANGE_URLS points at plain http: keys would travel in the clear.")
    if not site_url.lower().startswith("https://"):
        _refuse("Set SITE_URL to the https address that mailed links lead to.")
    for origin in origins:
        if not origin.lower().startswith("https://"):
            _refuse(f"CORS_ALLOWED_ORIGINS and CSRF_TRUSTED_ORIGINS are https; {origin!r} is not.")


def _refuse_plain_database(database: Mapping[str, Any]) -> None:
    """Another machine is asked over TLS: a password and everybody's rows go over that line."""
    options = database.get("OPTIONS", {})
    given = str(options.get("host") or database.get("HOST") or "")
    host = urlsplit(f"//{given}").hostname if given.startswith("[") else given
    if host in _LOCAL_HOSTS or given.startswith(("/", "%2F", "%2f")):
        return
    if options.get("sslmode") not in _ENCRYPTED:
        _refuse(
            f"The database at {given} is another machine and is not asked over TLS: add ?sslmode=verify-full (with"
            " &sslrootcert=… if its authority is your own), or at least ?sslmode=require, to DATABASE_URL."
        )
