from typing import Any

from django.core.management.commands.makemigrations import Command as MakeMigrations
from django.db import DEFAULT_DB_ALIAS

from accounts.management.commands._as_owner import owner


class Command(MakeMigrations):
    help = (
        MakeMigrations.help + " Works as the log-in role: it also runs before the application's role exists."
    )

    def execute(self, *args: Any, **options: Any) -> str | None:
        with owner(DEFAULT_DB_ALIAS):
            return super().execute(*args, **options)
