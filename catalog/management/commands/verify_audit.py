"""`manage.py verify_audit`: is the audit log as it was sealed?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError

from catalog.chain import heads, sealing
from catalog.chain.verifying import Report, verify

FAULTS, UNREADABLE, NOT_SEALED = 1, 2, 3


class _Given(TypedDict):
    heads: Path | None
    note: bool
    only_new: bool
    seal: bool


class Command(BaseCommand):
    """What the chain proves, and what it does not, stands in docs/deploy.md."""

    help = (
        "Walk the hash chain of the audit log and name the first line that was altered, removed, moved or inserted. "
        "Exits with 0 if there is none, 1 if there is, 2 if the file of noted heads cannot be used, 3 if all that is "
        "sealed is sound but lines have been waiting for their seal for more than 15 minutes."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--heads",
            type=Path,
            metavar="FILE",
            help="heads noted earlier, where whoever owns the database cannot write",
        )
        parser.add_argument("--note", action="store_true", help="add the head to that file if no fault is found")
        parser.add_argument(
            "--only-new",
            action="store_true",
            help="begin after the last head in the file, not at the first line",
        )
        parser.add_argument("--seal", action="store_true", help="first seal what waits, where no worker does")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        path = options["heads"]
        if path is None and (options["note"] or options["only_new"]):
            raise CommandError("--note and --only-new need the file that --heads names.", returncode=UNREADABLE)
        noted = [] if path is None else _noted(path)
        if options["seal"]:
            sealing.seal(everything=True, seconds=float("inf"))
        begin = max(noted, key=lambda head: head.position, default=None) if options["only_new"] else None
        report = verify(noted, begin)
        self._tell(report)
        if report.fault_count:
            counted = f"{report.fault_count} fault{'s' * (report.fault_count != 1)}"
            raise CommandError(f"{counted}. The first: {report.faults[0]}", returncode=FAULTS)
        if path is not None and options["note"] and report.position:
            try:
                heads.note_head(path, report.head)
            except OSError as error:
                raise CommandError(f"{path} cannot be written: {error.strerror}.", returncode=UNREADABLE) from error
        if report.waits_too_long:
            raise CommandError(
                f"{report.waiting} lines have no seal, the oldest since {report.waiting_since:%Y-%m-%d %H:%M} UTC: is "
                "a worker of the queue “light” running? --seal does it at once.",
                returncode=NOT_SEALED,
            )

    def _tell(self, report: Report) -> None:
        for sentence in report.faults:
            self.stdout.write(sentence)
        if report.fault_count > len(report.faults):
            self.stdout.write(f"… and {report.fault_count - len(report.faults)} more.")
        of = f"after position {report.begun_after}" if report.begun_after else "from the first one on"
        self.stdout.write(f"{report.links} sealed lines {of} were compared; {report.waiting} wait for their seal.")
        if report.position:
            self.stdout.write(f"Head: {report.head}")


def _noted(path: Path) -> list[heads.Head]:
    """Return the noted heads. A file that is not there is refused: the disk that it lies on may not be."""
    try:
        return heads.read_heads(path)
    except heads.HeadsRefused as refusal:
        raise CommandError(str(refusal), returncode=UNREADABLE) from refusal
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=UNREADABLE) from error
