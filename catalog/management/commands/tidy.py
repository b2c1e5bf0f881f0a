"""`manage.py tidy`: remove now what retention would remove in the next hours, or tell what that is."""

from __future__ import annotations

import argparse
import time
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError

from catalog.configuration.values import acceptable
from catalog.models import RetentionPass
from catalog.retention import foreseeing, sweeping
from catalog.writing import size

_TURN_SECONDS = 10.0


class _Given(TypedDict):
    dry_run: bool


class Command(BaseCommand):
    help = (
        "Remove what is older than the keys retention.… of the configuration say. With --dry-run nothing is removed: "
        "what would be is counted, with what would be kept and why."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="remove nothing, tell what would be removed")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        if options["dry_run"]:
            for found in foreseeing.foresee():
                for line in (found.first_line, *(f"  {reason}" for reason in found.reasons)):
                    self.stdout.write(line)
            return
        if acceptable()["retention.paused"]:
            raise CommandError("Retention is paused by an administrator (retention.paused).")
        sweeping.begin_again()
        self._sweep()

    def _sweep(self) -> None:
        """Take turns until all passes are over."""
        while True:
            start = time.monotonic()
            count = sweeping.take_turn(_TURN_SECONDS)
            at_work = RetentionPass.objects.filter(ended_at=None)
            for row in at_work:
                self.stderr.write(f"{row.rule}: {row.removed_count} removed, {size(row.removed_bytes)}")
            if not at_work.exists():
                break
            if not count and time.monotonic() - start < 1.0:
                raise CommandError(
                    "A backup is being made, another process is removing, or the storage does not answer: try again "
                    "later; the workers go on by themselves."
                )
        for row in RetentionPass.objects.all():
            self.stdout.write(f"{row.rule}: {row.removed_count} removed, {size(row.removed_bytes)}")
