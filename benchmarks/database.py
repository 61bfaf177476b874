"""A database of its own for measurements."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.core.management import call_command

from config import embedded


@contextmanager
def prepared(name: str = "bench") -> Iterator[None]:
    """Servers, settings and an emptied, migrated database for the block. `name`: of the servers' data."""
    with embedded.servers(name):
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        django.setup()
        call_command("migrate", verbosity=0)
        call_command("flush", verbosity=0, interactive=False)
        yield
