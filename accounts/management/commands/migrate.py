from typing import Any

from django.core.management.commands.migrate import Command as Migrate

from accounts.management.commands._as_owner import owner
from core.django import roles


class Command(Migrate):
    help = (
        Migrate.help
        + " Works as the log-in role, makes the application's roles first, grants to them last and checks the result."
    )

    def execute(self, *args: Any, **options: Any) -> str | None:
        with owner(options["database"]) as connection:
            roles.prepare(connection)
            output = super().execute(*args, **options)
            roles.grant(connection)
            self.check(databases=[options["database"]])
        return output
