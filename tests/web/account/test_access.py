"""The pages of the ways in: password, second factor, sessions, API tokens."""

import re
from uuid import uuid4

import pyotp
import pytest
from django.test import Client

from accounts import api_tokens, two_factor
from accounts.models import ApiToken, Session, User
from core import clock
from tests.clients import log_in, with_token
from tests.factories import PASSWORD
from tests.mailbox import Mailbox

NEW = "another horse battery"


def _page(client: Client, path: str, **form: str) -> str:
    answer = client.post(path, form) if form else client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def _secret(page: str) -> str:
    found = re.search(r"<code>([A-Z2-7 ]{32,})</code>", page)
    assert found is not None
    return found[1].replace(" ", "")


@pytest.fixture
def codes(as_alice: Client) -> list[str]:
    """Alice's recovery codes, after she set the second factor up."""
    secret = _secret(_page(as_alice, "/account/two-factor", do="begin"))
    page = _page(as_alice, "/account/two-factor", do="confirm", code=pyotp.TOTP(secret).now())
    return re.findall(r"<li><code>([\w-]+)</code></li>", page)


def test_the_password_is_changed_and_this_session_goes_on(
    as_alice: Client, alice: User, mailbox: Mailbox
) -> None:
    other = Client()
    other.post("/login", {"email": alice.email, "password": PASSWORD})

    answer = as_alice.post("/account/password", {"current_password": PASSWORD, "new_password": NEW})

    assert answer.headers["Location"] == "/account/password"
    assert "Your password is changed" in _page(as_alice, "/account/password")
    assert other.get("/account").status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert mailbox.sent() == [(alice.email, "Your password was changed")]


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [("wrong", NEW, "current_password"), (PASSWORD, "short", "new_password"), ("", "", "current_password")],
)
def test_a_refused_password_is_marked_and_does_not_come_back(
    as_alice: Client, alice: User, current: str, new: str, field: str
) -> None:
    answer = as_alice.post("/account/password", {"current_password": current, "new_password": new})
    page = answer.content.decode()

    assert (answer.status_code, f'id="{field}-wrong"' in page) == (422, True)
    assert NEW not in page
    assert PASSWORD not in page


def test_wrong_current_passwords_are_counted(as_alice: Client) -> None:
    form = {"current_password": "wrong", "new_password": NEW}
    answers = [as_alice.post("/account/password", form) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_the_second_factor_is_set_up_by_picture_or_text_and_a_code(as_alice: Client, alice: User) -> None:
    begun = _page(as_alice, "/account/two-factor", do="begin")
    assert 'src="data:image/svg+xml' in begun
    assert not two_factor.is_on(user_id=alice.id)

    page = _page(as_alice, "/account/two-factor", do="confirm", code=pyotp.TOTP(_secret(begun)).now())

    assert two_factor.is_on(user_id=alice.id)
    assert len(re.findall(r"<li><code>[\w-]+</code></li>", page)) == 10
    again = _page(as_alice, "/account/two-factor")
    assert "10 recovery codes left" in again
    assert "<code>" not in again


def test_a_wrong_code_switches_nothing_on_and_may_be_tried_again(as_alice: Client, alice: User) -> None:
    secret = _secret(_page(as_alice, "/account/two-factor", do="begin"))

    answer = as_alice.post("/account/two-factor", {"do": "confirm", "code": "000000x"})
    assert (answer.status_code, b'id="code-wrong"' in answer.content) == (422, True)
    assert not two_factor.is_on(user_id=alice.id)

    _page(as_alice, "/account/two-factor", do="confirm", code=pyotp.TOTP(secret).now())
    assert two_factor.is_on(user_id=alice.id)


def test_new_recovery_codes_take_the_place_of_the_old(
    as_alice: Client, alice: User, codes: list[str]
) -> None:
    page = _page(as_alice, "/account/two-factor", do="renew")

    renewed = re.findall(r"<li><code>([\w-]+)</code></li>", page)
    assert (len(renewed), set(renewed) & set(codes)) == (10, set())
    assert not two_factor.accepts(user_id=alice.id, code=codes[0], at=clock.now())


def test_the_second_factor_is_switched_off(as_alice: Client, alice: User, codes: list[str]) -> None:
    answer = as_alice.post("/account/two-factor", {"do": "off"})

    assert answer.headers["Location"] == "/account/two-factor"
    assert not two_factor.is_on(user_id=alice.id)


@pytest.mark.parametrize("do", ["renew", "off", "confirm"])
def test_what_does_not_fit_the_state_is_told(as_alice: Client, do: str) -> None:
    answer = as_alice.post("/account/two-factor", {"do": do, "code": "123456"})

    assert (answer.status_code, b'role="alert"' in answer.content) == (422, True)


def test_sessions_are_listed_and_one_is_ended(as_alice: Client, alice: User) -> None:
    other = Client(HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    other.post("/login", {"email": alice.email, "password": PASSWORD})
    page = _page(as_alice, "/account/sessions")
    assert page.count("this one") == 1
    assert "Firefox on Linux" in page
    session = Session.objects.get(user_agent__contains="Firefox")

    as_alice.post("/account/sessions", {"session": str(session.id)})

    assert other.get("/account").status_code == 302
    assert "Firefox on Linux" not in _page(as_alice, "/account/sessions")


def test_all_other_sessions_are_ended(as_alice: Client, alice: User) -> None:
    tokens = log_in(alice)

    as_alice.post("/account/sessions", {"do": "others"})

    assert with_token(tokens.access_token).get("/user/me").status_code == 401
    assert as_alice.get("/account").status_code == 200


@pytest.mark.parametrize("of", ["bob", "nobody", "garbage", ""])
def test_somebody_elses_session_is_not_there(as_alice: Client, bob: User, of: str) -> None:
    log_in(bob)
    theirs = str(Session.objects.get(user=bob).id)
    given = {"bob": theirs, "nobody": str(uuid4()), "garbage": "x'--"}.get(of, "")

    as_alice.post("/account/sessions", {"session": given})

    assert "There is no such" in _page(as_alice, "/account/sessions")
    assert Session.objects.get(user=bob).revoked_at is None


def test_a_token_is_shown_once_and_reads(as_alice: Client, alice: User) -> None:
    page = _page(as_alice, "/account/tokens", name="bot", expires_in_days="30")

    found = re.search(r"cgt_[\w-]{20,}", page)
    assert found is not None
    assert with_token(found[0]).get("/user/me").json()["email"] == alice.email
    again = _page(as_alice, "/account/tokens")
    assert found[0] not in again
    assert f"…{found[0][-4:]}" in again
    assert not ApiToken.objects.get().can_trade


def test_a_token_may_trade_where_it_is_asked_for(as_alice: Client) -> None:
    _page(as_alice, "/account/tokens", name="bot", expires_in_days="30", can_trade="1")

    assert ApiToken.objects.get().can_trade


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("expires_in_days", "0"),
        ("expires_in_days", "366"),
        ("expires_in_days", "x"),
    ],
)
def test_a_bad_token_is_marked_at_its_field(as_alice: Client, field: str, value: str) -> None:
    answer = as_alice.post("/account/tokens", {"name": "bot", "expires_in_days": "30", field: value})

    assert (answer.status_code, f'id="{field}-wrong"' in answer.content.decode()) == (422, True)
    assert ApiToken.objects.count() == 0


def test_a_name_that_is_taken_is_told(as_alice: Client) -> None:
    form = {"name": "bot", "expires_in_days": "30"}
    as_alice.post("/account/tokens", form)
    answer = as_alice.post("/account/tokens", form)

    assert (answer.status_code, b"Another token has this name" in answer.content) == (422, True)


def test_a_token_is_revoked(as_alice: Client, alice: User) -> None:
    made = api_tokens.create(user=alice, name="bot", can_trade=False, expires_in_days=9, at=clock.now())

    as_alice.post("/account/tokens", {"do": "revoke", "token": str(made.row.id)})

    assert with_token(made.token).get("/user/me").status_code == 401
    assert "revoked" in _page(as_alice, "/account/tokens")


@pytest.mark.parametrize("of", ["bob", "garbage"])
def test_somebody_elses_token_is_not_there(as_alice: Client, bob: User, of: str) -> None:
    made = api_tokens.create(user=bob, name="bot", can_trade=False, expires_in_days=9, at=clock.now())
    given = str(made.row.id) if of == "bob" else "x"

    as_alice.post("/account/tokens", {"do": "revoke", "token": given})

    assert "There is no such" in _page(as_alice, "/account/tokens")
    assert with_token(made.token).get("/user/me").status_code == 200
