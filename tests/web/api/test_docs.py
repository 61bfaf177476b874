"""The OpenAPI document, and its page under a strict content security policy."""

import json
import os
import re

from django.contrib.staticfiles import finders
from django.core.management import call_command

from tests.clients import stranger


def _schema() -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    response = stranger().get("/api/schema/?format=json")
    assert response.status_code == 200
    schema: dict[str, dict[str, dict[str, dict[str, object]]]] = json.loads(response.content)
    return schema


def test_the_document_holds_the_session_and_credential_routes() -> None:
    paths = _schema()["paths"]

    assert {
        path: sorted(paths[path]) for path in paths if path.startswith(("/auth", "/user", "/api-cred"))
    } == {
        "/auth/api-tokens": ["get", "post"],
        "/auth/api-tokens/{token_id}": ["delete"],
        "/auth/forgot-password": ["post"],
        "/auth/login": ["post"],
        "/auth/logout": ["post"],
        "/auth/logout-everywhere": ["post"],
        "/auth/refresh": ["post"],
        "/auth/reset-password": ["post"],
        "/auth/sessions": ["get"],
        "/auth/sessions/{session_id}": ["delete"],
        "/auth/step-up": ["post"],
        "/auth/two-factor": ["delete", "get", "post"],
        "/auth/two-factor/confirm": ["post"],
        "/auth/two-factor/recovery-codes": ["post"],
        "/user/change-email": ["post"],
        "/user/change-password": ["post"],
        "/user/confirm-email": ["post"],
        "/user/me": ["delete", "get", "patch"],
        "/user/register-user": ["post"],
        "/user/resend-verification": ["post"],
        "/user/verify-email": ["post"],
        "/api-credentials/save-credentials": ["post"],
        "/api-credentials/user/{user_id}": ["get"],
        "/api-credentials/{account_id}": ["delete", "put"],
    }


def test_the_document_is_valid_and_leaves_nothing_to_guess() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=os.devnull)


def test_who_needs_a_token_says_so() -> None:
    paths = _schema()["paths"]

    assert paths["/user/me"]["get"]["security"] == [{"accessToken": []}, {"apiToken": []}]
    assert paths["/auth/sessions"]["get"]["security"] == [{"accessToken": []}]
    assert paths["/auth/login"]["post"]["security"] == [{}]


def test_errors_are_documented_as_problems() -> None:
    responses = _schema()["paths"]["/api-credentials/{account_id}"]["put"]["responses"]

    assert isinstance(responses, dict)
    own, everywhere = ["200", "400", "401", "403", "404", "409"], ["406", "413", "415", "429", "503"]
    assert sorted(responses) == sorted(own + everywhere)
    assert list(responses["404"]["content"]) == ["application/problem+json"]


def test_the_page_runs_no_inline_script_and_loads_from_here_alone() -> None:
    page = stranger().get("/api/docs/")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))

    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert policy["default-src"] == "'none'"
    assert re.findall(r"<script(?![^>]*src=)", page.content.decode()) == []
    assert [
        url for url in re.findall(r'(?:src|href)="([^"]*)"', page.content.decode()) if not url.startswith("/")
    ] == []


def test_the_pages_files_are_served_from_here() -> None:
    page = stranger().get("/api/docs/").content.decode()
    files = re.findall(r'"/static/([^"]*)"', page)

    assert len(files) == 4
    assert [file for file in files if finders.find(file) is None] == []


def test_the_pages_own_script_is_a_script() -> None:
    response = stranger().get("/api/docs/?script=")

    assert response.headers["Content-Type"].startswith("application/javascript")
    assert b"/api/schema/" in response.content
