from typing import Any

from django.core.management.commands.flush import Command as Flush

from accounts.management.commands._as_owner import owner


class Command(Flush):
    help = Flush.help + " Works as the log-in role: the application's role may not truncate."

    def execute(self, *args: Any, **options: Any) -> str | None:
        with owner(options["database"]):
            return super().execute(*args, **options)
