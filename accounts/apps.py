from django.apps import AppConfig
from django.core import checks


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        """The walls between users are checked wherever users are."""
        from core.django import checks as tenancy_checks  # noqa: PLC0415  (models are known from here on)

        checks.register(tenancy_checks.check_models, checks.Tags.models)
        checks.register(tenancy_checks.check_database, checks.Tags.database)
