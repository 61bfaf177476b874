"""What was mailed. Tests run inside a transaction that never commits, so what waits for a commit happens at once."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives


class Mailbox:
    """The mails of a test, oldest first."""

    def __len__(self) -> int:
        return len(mail.outbox)

    def sent(self) -> list[tuple[str, str]]:
        """Recipient and subject of each."""
        return [(message.to[0], str(message.subject)) for message in mail.outbox]

    def last(self) -> EmailMultiAlternatives:
        message = mail.outbox[-1]
        assert isinstance(message, EmailMultiAlternatives)
        return message

    def link(self) -> str:
        """The link of the last mail: the same in both versions."""
        plain, html = str(self.last().body), str(self.last().alternatives[0][0])
        link = re.search(r"https?://\S+\?token=\S+", plain)
        assert link is not None
        assert f'href="{link[0]}"' in html
        return link[0]

    def token(self) -> str:
        """The one-time token of the last mail."""
        return parse_qs(urlsplit(self.link()).query)["token"][0]


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    def at_once(work: Callable[[], Any], **_: Any) -> None:
        work()

    monkeypatch.setattr("accounts.mail.transaction.on_commit", at_once)
    yield Mailbox()
    mail.outbox.clear()
