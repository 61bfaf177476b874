#!/usr/bin/env python
"""Django's commands. Without DATABASE_URL or REDIS_URL they find or start the embedded servers themselves."""

import os
import sys

from django.core.management import execute_from_command_line

from config import embedded
from core.django import actors


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    name = sys.argv[1] if len(sys.argv) > 1 else "help"
    with embedded.servers(), actors.running_command(name):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
