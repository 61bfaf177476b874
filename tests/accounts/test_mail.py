"""Mails: both versions, after commit, whatever the mail server does."""

import logging
from smtplib import SMTPServerDisconnected
from threading import current_thread, main_thread
from typing import Any

import pytest
from django.core import mail as django_mail
from django.db import transaction
from pytest_django import Settings

from accounts import mail
from config.settings import BASE_DIR
from core.django import actors
from core.django.actors import Actor, ActorKind
from tests.mailbox import Mailbox

TEMPLATES = sorted(
    path.stem for path in (BASE_DIR / "templates" / "mail").glob("*.txt") if path.stem != "base"
)
CONTEXT = {"link": "https://cgt.example/x?token=abc", "label": 'A & <b>"B"</b>', "note": "Invalid key."}


def _send(template: str = "verify_email", **context: object) -> None:
    mail.send(template, to="alice@example.com", subject="It's a <test>", **{**CONTEXT, **context})


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_mail_has_a_plain_and_an_html_version(
    template: str, mailbox: Mailbox, settings: Settings
) -> None:
    settings.SITE_URL = "https://cgt.example"
    _send(template)

    message = mailbox.last()
    ((html, kind),) = message.alternatives
    assert (message.to, message.from_email) == (["alice@example.com"], settings.DEFAULT_FROM_EMAIL)
    assert message.body.startswith("It's a <test>\n\n")
    assert (kind, "<h1>It&#x27;s a &lt;test&gt;</h1>" in str(html)) == ("text/html", True)
    assert "https://cgt.example" in message.body
    assert "{" not in message.body
    assert "<script" not in str(html)


def test_what_users_wrote_is_escaped_in_html_and_plain_in_text(mailbox: Mailbox) -> None:
    _send("key_disabled")

    assert 'A & <b>"B"</b>' in mailbox.last().body
    assert "A &amp; &lt;b&gt;&quot;B&quot;&lt;/b&gt;" in str(mailbox.last().alternatives[0][0])


def test_a_mail_to_nobody_goes_nowhere(mailbox: Mailbox) -> None:
    mail.send("reset_password", to="", subject="Choose a new password", link="x")

    assert len(mailbox) == 0


@pytest.mark.django_db(transaction=True)
def test_a_mail_waits_for_the_commit() -> None:
    with transaction.atomic():
        _send()
        assert len(django_mail.outbox) == 0
    assert len(django_mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_mailed() -> None:
    with transaction.atomic():
        _send()
        transaction.set_rollback(True)
    assert len(django_mail.outbox) == 0


@pytest.mark.parametrize("error", [SMTPServerDisconnected("alice@example.com"), TimeoutError(), OSError()])
def test_a_mail_server_that_is_down_breaks_nothing_and_is_logged(
    error: Exception, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
    with caplog.at_level(logging.ERROR, "accounts.mail"):
        _send()

    assert [record.getMessage() for record in caplog.records] == [
        f"Mail 'verify_email' could not be sent: {type(error).__name__}"
    ]


@pytest.mark.parametrize(
    ("kind", "at_once"), [(ActorKind.ANONYMOUS, False), (ActorKind.USER, False), (ActorKind.WORKER, True)]
)
def test_over_the_network_requests_mail_from_a_thread_and_workers_at_once(
    kind: ActorKind, at_once: bool, mailbox: Mailbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAIL_IN_BACKGROUND = True
    threads: list[Any] = []
    monkeypatch.setattr("accounts.mail._deliver", lambda *_: threads.append(current_thread()))
    with actors.acting(Actor(kind=kind)):
        _send()
    mail._THREADS.submit(int).result()

    assert [thread is main_thread() for thread in threads] == [at_once]
