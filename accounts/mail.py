"""Mails to users: a plain and an HTML version of one template, sent once the transaction around it has committed.

A mail server that hangs or refuses never breaks a request and never makes it slower, which would tell who has an
account: what a request sends over the network leaves from a thread. What is lost is asked for again by its reader.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string

from core.django import actors
from core.django.actors import ActorKind

logger = logging.getLogger(__name__)
_THREADS: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="mail")


def send(template: str, *, to: str, subject: str, **context: object) -> None:
    """Mail `templates/mail/<template>.txt` and `.html` to one address after commit. Failures are logged.

    Without an address it is written all the same, and thrown away.
    """
    values = {
        "subject": subject,
        "site_url": settings.SITE_URL,
        "minutes": settings.ONE_TIME_TOKEN_MINUTES,
        **context,
    }
    message = EmailMultiAlternatives(
        subject, render_to_string(f"mail/{template}.txt", values).strip() + "\n", to=[to]
    )
    message.attach_alternative(render_to_string(f"mail/{template}.html", values), "text/html")
    if to:
        transaction.on_commit(partial(_leave, template, message), robust=True)


def tell_access_changed(*, to: str, subject: str, what: str) -> None:
    """Tell a user that the ways into the account changed: whoever did it, the owner learns of it."""
    send("access_changed", to=to, subject=subject, what=what)


def _leave(template: str, message: EmailMultiAlternatives) -> None:
    waits = actors.current().kind not in (ActorKind.WORKER, ActorKind.COMMAND)
    if settings.MAIL_IN_BACKGROUND and waits:  # a worker may be gone before its thread is done
        _THREADS.submit(_deliver, template, message)
    else:
        _deliver(template, message)


def _deliver(template: str, message: EmailMultiAlternatives) -> None:
    try:
        message.send()
    except (SMTPException, OSError) as error:  # the text may hold the address: it is not logged
        logger.error("Mail %r could not be sent: %s", template, type(error).__name__)
