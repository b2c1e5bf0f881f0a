"""`manage.py backup`: database and files of a running site in one folder, or a look at whether one is whole."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from astrid_site.backup import checking, known, making
from astrid_site.backup.manifest import BackupRefused, Manifest
from astrid_site.running import database, postgres
from catalog.files import removals, storage
from catalog.writing import size


class _Given(TypedDict):
    folder: Path
    verify: bool
    files: bool | None
    secret: bool
    after: Path | None
    whole: bool


class Command(BaseCommand):
    """Exit 0: it is whole. 1: it is not, or could not be made. 2: bad usage."""

    help = (
        "Back up the database and the files of this site into a new folder, while it runs; see docs/deploy.md. The "
        "folder holds secrets: hashes of passwords, and what subscribers' alerts are signed with."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="where to; it must not exist yet")
        parser.add_argument("--verify", action="store_true", help="make none: compare the one in DIR with its hashes")
        parser.add_argument(
            "--files", action=argparse.BooleanOptionalAction, default=None,
            help="copy the files, or leave them out (default: those of the data root are copied, those of a shared "
            "storage listed)",
        )  # fmt: skip
        parser.add_argument(
            "--secret", action=argparse.BooleanOptionalAction, default=True,
            help="the secret that the data root keeps, without which everybody has to log in again (default: copied)",
        )  # fmt: skip
        parser.add_argument(
            "--after", type=Path, metavar="DIR",
            help="files that have not changed since that backup are linked to it (default: the newest one beside)",
        )  # fmt: skip
        parser.add_argument("--whole", action="store_true", help="link nothing: copy every file anew")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        folder = options["folder"]
        try:
            if options["verify"]:
                made = self._look(folder)
            else:
                wanted = making.Wanted(folder, options["files"], options["secret"], options["after"], options["whole"])
                with database.reachable():
                    made = making.make(wanted, self.say)
                    self._note(lambda: known.note_made(folder, made))
        except (BackupRefused, removals.BackupUnderWay, storage.StorageUnreachable) as refusal:
            raise CommandError(str(refusal)) from refusal
        except postgres.ServerUnavailable as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename or folder}: {error.strerror}.") from error
        self._tell(folder, made)

    def _look(self, folder: Path) -> Manifest:
        """Compare a backup with its hashes, and put that down where the database answers; it need not run for this."""
        try:
            made = checking.check(folder.resolve(), self.say)
        except BackupRefused:
            self._note_look(folder, is_whole=False)
            raise
        self._note_look(folder, is_whole=True)
        return made

    def _note_look(self, folder: Path, *, is_whole: bool) -> None:
        if postgres.describe()[0]:
            self._note(lambda: known.note_verified(folder, is_whole=is_whole))

    def _note(self, note: Callable[[], object]) -> None:
        """Put down what was done. The backup is as good without that, such as one of a database that is read alone."""
        try:
            note()
        except DatabaseError as error:
            self.say(f"The site was not told of it, and goes on warning where it does: {error}".rstrip())

    def _tell(self, folder: Path, made: Manifest) -> None:
        self.stdout.write(
            f"{folder}: the site as of {made.made_at:%Y-%m-%d %H:%M:%S} UTC. Database: {made.rows} rows in "
            f"{len(made.state.tables)} tables, {size(made.dump.bytes)}. Files {made.files.kept}: {made.files.count}, "
            f"{size(made.files.bytes)}. Secret: {'in it' if made.secret_sha256 else 'not in it'}."
        )
        if made.files.missing:
            self.stdout.write(f"{made.files.missing} files that rows name were not there.")

    def say(self, line: str) -> None:
        """Report progress."""
        self.stderr.write(line, style_func=str)
        self.stderr.flush()
