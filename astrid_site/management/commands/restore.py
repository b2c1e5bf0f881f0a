"""`manage.py restore`: a site as it was when a backup was made."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError

from astrid_site.backup import restoring
from astrid_site.backup.manifest import BackupRefused
from astrid_site.running import database, postgres
from catalog.files import storage


class _Given(TypedDict):
    folder: Path
    replace: bool
    migrate: bool


class Command(BaseCommand):
    """Exit 0: everything is as in the backup. 1: it was refused, or something differs."""

    help = (
        "Restore a backup into an empty site whose processes are stopped. Everything is compared with its hashes "
        "first; one that was cut off may be begun again. See docs/deploy.md."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="the backup")
        parser.add_argument("--replace", action="store_true", help="the site is not empty: set aside what is there")
        parser.add_argument("--migrate", action="store_true", help="bring an older version's backup up to date")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        wanted = restoring.Wanted(options["folder"].resolve(), options["replace"], options["migrate"])
        try:
            with database.reachable():
                report = restoring.restore(wanted, self.say)
        except (BackupRefused, storage.StorageUnreachable, storage.StorageFull) as refusal:
            raise CommandError(str(refusal)) from refusal
        except postgres.ServerUnavailable as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename or wanted.folder}: {error.strerror}.") from error
        for line in report:
            self.stdout.write(line)

    def say(self, line: str) -> None:
        """Report progress."""
        self.stderr.write(line, style_func=str)
        self.stderr.flush()
