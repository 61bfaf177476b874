"""The admin in a real Chromium: its own scripts work, and none of its pages breaks the content security policy."""

from collections.abc import Callable

import pytest

from accounts.models import User
from tests.factories import PASSWORD, UserFactory
from tests.web.browser import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Begin = Callable[..., Visit]


def holds(at: Visit) -> None:
    assert at.page.evaluate("window.broken") == []
    assert at.console == []


def test_an_operator_looks_around_and_changes_a_user(visit: Begin) -> None:
    operator = UserFactory.create(is_staff=True, is_superuser=True)
    user = UserFactory.create(name="Before")
    at = visit()
    at.log_in(operator.email, PASSWORD)
    for path in (
        "/admin/",
        "/admin/accounts/user/?is_active__exact=1",
        "/admin/accounts/auditlog/",
        "/admin/auth/group/",
    ):
        at.goto(path)
        at.page.locator("#site-name").wait_for()
        holds(at)

    at.goto("/admin/accounts/auditlog/?action=INSERT")
    at.page.locator("#result_list a").first.click()
    at.page.get_by_text("accounts_user").first.wait_for()
    holds(at)

    at.goto(f"/admin/accounts/user/{user.pk}/change/")
    at.page.get_by_label("Name").fill("After")
    at.page.get_by_role("button", name="Save", exact=True).click()
    at.page.get_by_text("was changed successfully").wait_for()
    holds(at)
    assert User.objects.get(pk=user.pk).name == "After"


def test_the_admins_scripts_run(visit: Begin) -> None:
    operator = UserFactory.create(is_staff=True, is_superuser=True)
    at = visit()
    at.log_in(operator.email, PASSWORD)

    at.goto("/admin/auth/group/add/")  # two boxes with arrows between them, made by a script
    at.page.locator(".selector .selector-chosen").wait_for()
    at.page.get_by_label("Name").fill("Readers")
    at.page.locator("#id_permissions_from option").first.dblclick()
    at.page.get_by_role("button", name="Save", exact=True).click()
    at.page.get_by_text("was added successfully").wait_for()
    holds(at)
    at.goto("/admin/auth/group/")
    at.page.locator("#action-toggle").check()  # a script ticks every row
    assert at.page.locator("input.action-select").first.is_checked()
    holds(at)
