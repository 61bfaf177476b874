"""The net under every log line: secrets do not pass, whatever shape they come in; plain words stay."""

import io
import json
import logging
from typing import Any

import pytest
from pythonjsonlogger.json import JsonFormatter

from core.django.redaction import HIDDEN, RedactingFilter, redact, redact_value

CANARY = "CanarySecret9876543210"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "text",
    [
        f"api_key={CANARY}",
        f'{{"apiKey": "{CANARY}", "exchange": "binance"}}',
        f'{{"secretKey":"{CANARY}\\" still"}}',
        f"{{'secret_key': '{CANARY}', 'x': 1}}",
        f'"{{\\"passphrase\\": \\"{CANARY}\\"}}"',
        f"password: {CANARY}",
        f"new_password={CANARY}&next=/",
        f"X-MBX-APIKEY: {CANARY}",
        f"{{'X-MBX-APIKEY': '{CANARY}'}}",
        f"ACCESS-KEY: {CANARY}",
        f"ACCESS-PASSPHRASE={CANARY}",
        f"Authorization: Bearer {CANARY}",
        f"Authorization: Token {CANARY}",
        f'{{"Authorization": "Basic {CANARY}"}}',
        f"Cookie: csrftoken={CANARY}; sessionid={CANARY}",
        f"GET https://api.binance.com/api/v3/account?timestamp=1&recvWindow=5000&signature={CANARY} timed out",
        f"binance GET https://x.io/sapi/v1/a?{CANARY}=1&signature=abc 400",
        f"wss://stream.binance.com/ws?listenKey={CANARY}",
        f'{{"listenKey":"{CANARY}"}}',
        f"signature={CANARY}",
        f"sign: {CANARY}",
        f"refresh_token={CANARY}",
        f'"access_token": "{CANARY}"',
        f"redis://:{CANARY}@127.0.0.1:6379/0",
        f"postgres://cgt:{CANARY}@db/cgt",
        f"binanceApiKey={CANARY}",
        f"--secret-key={CANARY}",
        f"JWT_TOKEN_SECRET={CANARY}",
        f"CREDENTIAL_ENCRYPTION_KEYS=main:{CANARY}",
        f"SECRET_KEY={CANARY}",
        f"token {JWT}{CANARY}",
        f"cgt_{CANARY}",
        f"/reset-password?token={CANARY}",
        f"ApiKeys(key='a', secret='{CANARY}')",
        f"-----BEGIN EC PRIVATE KEY-----\n{CANARY}\n-----END EC PRIVATE KEY-----",
    ],
)
def test_no_secret_passes(text: str) -> None:
    assert CANARY not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Keys of account 1f0c opened for: sync",
        "Run 17: ExchangeError: down: HTTP 502 Bad Gateway",
        "GET /api-credentials/user/1f0c 200",
        "GET https://api.binance.com/api/v3/klines?symbol=BTCUSDT&interval=1d 200",
        "binance: rate: HTTP 429 -1003 Too much request weight used",
        "design: the assignment of 3 accounts",
        '{"symbol": "BTCUSDT", "price": "67000.10"}',
    ],
)
def test_plain_words_stay(text: str) -> None:
    assert redact(text) == text


def test_what_was_redacted_stays_as_it_is() -> None:
    once = redact(f"Authorization: Bearer {CANARY}\napi_key={CANARY} and {JWT}")

    assert redact(once) == once


def test_structures_are_redacted_by_name_and_by_shape() -> None:
    told = {
        "apiKey": CANARY,
        "deep": [{"passphrase": {"a": CANARY}}, f"signature={CANARY}"],
        "rows": 3,
        "ok": True,
    }

    assert redact_value(told) == {
        "apiKey": HIDDEN,
        "deep": [{"passphrase": HIDDEN}, f"signature={HIDDEN}"],
        "rows": 3,
        "ok": True,
    }


def _written(formatter: logging.Formatter, write: Any) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(RedactingFilter())
    logger = logging.Logger("redaction")
    logger.addHandler(handler)
    write(logger)
    return stream.getvalue()


def _fail(logger: logging.Logger) -> None:
    try:
        raise ValueError(f"https://x.io/a?signature={CANARY}")
    except ValueError:
        logger.exception(
            "Asking with %s", {"apiKey": CANARY}, extra={"secret": CANARY, "url": f"token={CANARY}"}
        )


@pytest.mark.parametrize(
    "formatter", [logging.Formatter("%(message)s"), JsonFormatter("%(message)s")], ids=["text", "json"]
)
def test_messages_tracebacks_and_extras_are_redacted(formatter: logging.Formatter) -> None:
    written = _written(formatter, _fail)

    assert CANARY not in written
    assert "ValueError: https://x.io/a?[redacted]" in written
    assert "in _fail" in written


def test_arguments_that_do_not_fit_are_not_printed() -> None:
    written = _written(logging.Formatter("%(message)s"), lambda logger: logger.error("%d rows", CANARY))

    assert written == "%d rows (its arguments do not fit)\n"


def test_a_json_line_stays_json_with_its_extras() -> None:
    written = _written(
        JsonFormatter("%(message)s"), lambda logger: logger.info("done", extra={"rows": 3, "names": ["a"]})
    )

    assert json.loads(written) == {"message": "done", "rows": 3, "names": ["a"]}
