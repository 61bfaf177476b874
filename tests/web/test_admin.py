from datetime import date
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from core.django import roles, tenancy
from credentials.models import ApiCredential
from orders.models import Fill
from portfolio.models import AssetDay
from tests.factories import AccountFactory, FillFactory, OrderFactory, TransferFactory, UserFactory
from web.middleware import AdminDoor

pytestmark = pytest.mark.django_db

REGISTERED = sorted(admin.site._registry, key=lambda model: model.__name__)
EDITABLE = {"User", "Group"}


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    return client


def _lists(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_every_list_opens(operator: Client, model: type[models.Model]) -> None:
    FillFactory.create(), OrderFactory.create(), TransferFactory.create()

    assert operator.get(_lists(model)).status_code == 200


def test_operators_see_every_owners_rows(operator: Client) -> None:
    FillFactory.create(symbol="ONEUSDT"), FillFactory.create(symbol="TWOUSDT")

    page = operator.get(reverse("admin:orders_fill_changelist")).content.decode()

    assert "ONEUSDT" in page
    assert "TWOUSDT" in page


def test_after_an_admin_page_the_role_is_the_applications_again(operator: Client) -> None:
    operator.get(reverse("admin:orders_fill_changelist"))

    roles.verify()


def test_a_user_who_is_no_operator_is_sent_to_the_log_in(client: Client) -> None:
    client.force_login(UserFactory.create())

    response = client.get(reverse("admin:orders_fill_changelist"))

    assert response.status_code == 302


@pytest.mark.parametrize(
    "model", [model for model in REGISTERED if model.__name__ not in EDITABLE], ids=lambda m: m.__name__
)
def test_derived_and_secret_rows_are_read_only(rf: object, model: type[models.Model]) -> None:
    request = type("Request", (), {"user": UserFactory.create(is_staff=True, is_superuser=True)})()
    site = admin.site._registry[model]

    assert not site.has_add_permission(request)
    assert not site.has_change_permission(request)
    assert not site.has_delete_permission(request)


def test_a_fill_cannot_be_deleted_through_the_admin(operator: Client) -> None:
    fill = FillFactory.create()

    response = operator.post(reverse("admin:orders_fill_delete", args=[fill.id]), {"post": "yes"})

    assert response.status_code == 403


def test_no_sealed_value_is_on_any_admin_page(operator: Client) -> None:
    account = AccountFactory.create()
    with tenancy.acting_as(account.user_id):
        credential = ApiCredential.objects.create(
            user_id=account.user_id,
            account=account,
            api_key="cv1:sealed-key",
            secret_key="cv1:sealed-secret",
            api_key_hint="1234",
        )

    pages = [_lists(ApiCredential), reverse("admin:credentials_apicredential_change", args=[credential.pk])]
    text = "".join(operator.get(page).content.decode() for page in pages)

    assert "1234" in text
    assert "sealed" not in text


def test_a_user_can_be_locked_out(operator: Client) -> None:
    user = UserFactory.create()

    operator.post(
        reverse("admin:accounts_user_change", args=[user.pk]), {"email": user.email, "name": user.name}
    )

    assert not User.objects.get(pk=user.pk).is_active


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_takes_the_same_queries_for_one_and_three_rows(
    operator: Client, rows: int, django_assert_num_queries: object
) -> None:
    account = AccountFactory.create()
    with tenancy.acting_as(account.user_id):
        for number in range(rows):
            AssetDay.objects.create(
                user_id=account.user_id, account=account, asset="BTC", day=date(2026, 1, number + 1),
                traded=Decimal(1), deposited=Decimal(0), withdrawn=Decimal(0), withdrawal_fees=Decimal(0),
            )  # fmt: skip
    operator.get(_lists(AssetDay))

    with django_assert_num_queries(13):  # type: ignore[operator]
        operator.get(_lists(AssetDay))


def test_a_deleted_operator_is_sent_to_the_log_in(client: Client) -> None:
    operator = UserFactory.create(is_staff=True, is_superuser=True)
    client.force_login(operator)
    User.objects.filter(id=operator.id).update(is_deleted=True)

    answer = client.get(_lists(Fill))

    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, reverse("admin:login"))


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        (User, "password__startswith"),
        (ApiCredential, "secret_key__startswith"),
        (ApiCredential, "api_key__gt"),
    ],
)
def test_secrets_cannot_be_guessed_by_filtering(
    operator: Client, model: type[models.Model], lookup: str
) -> None:
    assert operator.get(_lists(model), {lookup: "a"}).status_code == 400


def test_staff_who_may_change_users_cannot_make_themselves_superusers(client: Client) -> None:
    operator = UserFactory.create(is_staff=True)
    operator.user_permissions.add(Permission.objects.get(codename="change_user"))
    client.force_login(operator)

    change = {"email": operator.email, "name": operator.name, "is_active": "on", "is_superuser": "on"}
    client.post(reverse("admin:accounts_user_change", args=[operator.pk]), change)

    assert not User.objects.get(pk=operator.pk).is_superuser


def test_what_an_admin_page_wrote_before_it_broke_is_undone(rf: RequestFactory) -> None:
    user = UserFactory.create(is_staff=True, name="Before")

    def broken(request: HttpRequest) -> HttpResponse:
        User.objects.filter(id=user.id).update(name="After")
        return HttpResponse(status=500)

    request = rf.get(reverse("admin:index"))
    request.user = user
    AdminDoor(broken)(request)

    assert User.objects.get(id=user.id).name == "Before"
