"""`manage.py db`: start, stop or look at the embedded PostgreSQL."""

from __future__ import annotations

import sys

from django.core.management.base import BaseCommand, CommandError, CommandParser

from astrid_site.running import postgres


class Command(BaseCommand):
    help = "Start, stop or inspect the embedded PostgreSQL. `status` exits with 3 if it is not running."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status"])

    def handle(self, *args: object, **options: object) -> None:
        try:
            if options["action"] == "start":
                postgres.ensure_running()
            elif options["action"] == "stop":
                postgres.stop()
            is_running, line = postgres.describe()
        except postgres.ServerUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(line)
        if options["action"] == "status" and not is_running:
            sys.exit(3)
