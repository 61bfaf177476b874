"""Alice, who logged in a moment ago."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Session
from core import clock
from tests.mailbox import mailbox

__all__ = ["mailbox"]


@pytest.fixture
def as_alice_of_before(as_alice: Client) -> Client:
    """Alice, whose log-in is too long ago for what is sensitive."""
    Session.objects.update(stepped_up_at=clock.now() - timedelta(hours=1))
    return as_alice
