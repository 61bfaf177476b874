"""What may be stored and shown of an exchange's words: nothing of keys, signatures and addresses."""

from urllib.parse import quote, quote_plus

import pytest

from exchanges.failures import scrub

SECRETS = ('pass phrase&"1', "k" * 20, "")


@pytest.mark.parametrize(
    "said",
    [
        'bad passphrase pass phrase&"1 given',
        f"in a URL {quote(SECRETS[0], safe='')}",
        f"in a form {quote_plus(SECRETS[0])}",
        'in JSON "pass phrase&\\"1"',
        f"key {SECRETS[1]} is unknown",
    ],
)
def test_secrets_are_hidden_however_they_are_written(said: str) -> None:
    shown = scrub(said, SECRETS)

    assert "[…]" in shown
    assert not any(
        part in shown for part in ("phrase&", "phrase%26", "phrase\\", "phrase+", "+phrase", SECRETS[1])
    )


@pytest.mark.parametrize(
    "said",
    [
        "GET https://api.binance.com/api/v3/account?timestamp=1&signature=abc failed",
        "request ?recvWindow=5000&signature=abc was refused",
        "signature: abc",
        "X-MBX-APIKEY: abc",
        "api_key=abc",
        f"token {'a1' * 20}",
    ],
)
def test_what_only_looks_like_one_is_hidden_too(said: str) -> None:
    shown = scrub(said)

    assert "abc" not in shown
    assert "a1a1" not in shown


def test_plain_words_stay() -> None:
    words = "HTTP 400 -1121 Invalid symbol."

    assert scrub(words, SECRETS) == words
