"""`manage.py verify_invariants`: what must always hold, over everybody's rows."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pipeline.invariants.examine import Examined, examine


class Command(BaseCommand):
    help = (
        "Examine every rule of the database; print the first rows that break one, and end with 1 if any does."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        examined = []
        for one in examine():
            examined.append(one)
            self.stdout.write(_told(one))
        broken = sum(not one.holds for one in examined)
        self.stdout.write(
            f"{len(examined)} rules, {sum(one.rows for one in examined)} rows examined, {broken} broken."
        )
        if broken:
            raise CommandError(f"{broken} of {len(examined)} rules do not hold.")


def _told(one: Examined) -> str:
    if one.is_blind:
        return f"BLIND   {one.name}: there are rows, and none was seen."
    if not one.broken:
        return f"ok      {one.name} ({one.rows} rows)"
    rows = (", ".join(f"{name}={value}" for name, value in row.items()) for row in one.broken)
    return "\n  ".join([f"BROKEN  {one.name}:", *rows])
