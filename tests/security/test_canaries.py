"""Secrets are planted everywhere they may be, and looked for everywhere they may not."""

import base64
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from django.core import mail

from tests.security import canaries
from tests.security.canaries import Journey, told
from tests.security.people import Person

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def journey(people: list[Person]) -> Iterator[Journey]:
    journey = Journey()
    logging.disable(logging.NOTSET)
    with pytest.MonkeyPatch.context() as patch, canaries.everything_logged(journey.log):
        canaries.travel(people, journey, patch)
    journey.redis = canaries.redis_texts()
    canaries.forget_queue()
    journey.mails = {
        f"mail {number} {message.subject}": f"{message.body} {getattr(message, 'alternatives', '')}"
        for number, message in enumerate(mail.outbox)
    }
    yield journey
    mail.outbox.clear()


def test_there_is_a_canary_of_every_kind(journey: Journey) -> None:
    assert {name.rstrip(" 0123456789") for name in journey.secrets} == {
        "API key", "API secret", "API token", "TOTP secret", "access token", "mailed token", "passphrase", "password",
        "recovery code", "refresh token",
    }  # fmt: skip
    assert min(len(secret) for secret in journey.secrets.values()) > 16


def test_no_answer_tells_a_secret(journey: Journey) -> None:
    assert len(journey.answers) > 300
    assert told(journey.answers, journey.secrets) == []


def test_no_log_line_tells_a_secret(journey: Journey) -> None:
    text = journey.log.getvalue()

    assert "broken on purpose" in text
    assert told({"the log": text}, journey.secrets) == []


def test_no_key_or_value_in_redis_tells_a_secret(journey: Journey) -> None:
    assert any("pipeline.sync_accounts" in text for text in journey.redis.values())
    assert told(journey.redis, journey.secrets) == []


def test_no_table_holds_a_secret(journey: Journey) -> None:
    texts = canaries.database_texts()

    assert "cv1:" in texts["table credentials_apicredential"]
    assert told(texts, journey.secrets) == []


def test_only_its_mail_tells_the_mailed_token(journey: Journey) -> None:
    [found] = told(journey.mails, journey.secrets)

    assert found.startswith("mailed token in mail")
    assert found.endswith("Choose a new password")


def test_a_secret_would_be_found_in_any_form() -> None:
    secret = 'Se/cret+ of = a " canary'
    texts = {
        "plain": secret,
        "a link": quote(secret, safe=""),
        "hex": secret.encode().hex(),
        **{f"base64 {n}": base64.b64encode(b"x" * n + secret.encode() + b"y").decode() for n in range(3)},
    }

    assert told(texts, {"it": secret}) == [f"it in {form}" for form in texts]
