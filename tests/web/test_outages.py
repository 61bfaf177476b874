"""What the dashboard says of outages: a banner with the age of what is shown, and nothing while all is well."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from core import clock
from credentials.models import ExchangeAccount
from exchanges.errors import ErrorKind
from pipeline import breakers, pauses, stops
from pipeline.models import Outage
from pipeline.stops import Stop
from tests.factories import UserFactory

PATH = "/fragments/outages"


def stop(code: str, key: str) -> None:
    now = clock.now()
    made = Stop(code, ErrorKind.DOWN, "It <fails>.", since=now, until=now + timedelta(minutes=5))
    stops.put(key, made, lasts=timedelta(minutes=5))


def test_no_banner_while_all_is_well(as_alice: Client, account: ExchangeAccount) -> None:
    assert "notice" not in as_alice.get(PATH).content.decode()


def test_an_exchange_that_is_down_is_told_with_the_age_of_its_data(
    as_alice: Client, account: ExchangeAccount
) -> None:
    stop(stops.BREAKER, breakers.exchange_key(account.exchange))
    for path in ("/", PATH):
        page = as_alice.get(path).content.decode()
        assert f"{account.label} is not read now." in page
        assert "It &lt;fails&gt;." in page
        assert "What is shown of it was read" in page


def test_a_pause_of_everything_is_told_once(as_alice: Client, account: ExchangeAccount) -> None:
    stop(stops.NETWORK, breakers.network_key())
    page = as_alice.get("/").content.decode()
    assert page.count("Everything pauses.") == 1
    assert "is not read now" not in page


def test_others_pauses_are_not_told(as_alice: Client, account: ExchangeAccount) -> None:
    stop(stops.PAUSED, pauses.account_key(account.exchange, "somebody else"))
    assert "notice" not in as_alice.get(PATH).content.decode()


@pytest.mark.django_db
def test_operators_see_outages_and_change_none(client: Client) -> None:
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    outage = Outage.objects.create(exchange="mexc", reason="It fails.", began_at=clock.now())
    page = client.get(reverse("admin:pipeline_outage_changelist")).content.decode()
    assert "It fails." in page
    change = reverse("admin:pipeline_outage_change", args=[outage.id])
    assert client.post(change, {"reason": "Nothing."}).status_code == 403
    assert client.get(reverse("admin:pipeline_outage_add")).status_code == 403
