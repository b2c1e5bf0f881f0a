"""`manage.py export_audit`: the audit log as a file."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError

from catalog.chain.exporting import FORMATS, exported
from catalog.models import AuditLog

_CONDITIONS = {
    "since": "created_at__gte", "until": "created_at__lt", "user": "user", "action": "action",
    "entity_type": "entity_type",
}  # fmt: skip


class _Given(TypedDict):
    file: Path
    format: str
    since: dt.datetime | None
    until: dt.datetime | None
    user: str
    action: str
    entity_type: str


class Command(BaseCommand):
    help = "Write the audit log, or some of it, with each line's place in the hash chain; - is standard output."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="file to write, or -")
        parser.add_argument("--format", choices=sorted(FORMATS), default="jsonl", help="default jsonl: JSON lines")
        parser.add_argument("--since", type=_moment, metavar="TIME", help="lines from this time on (UTC)")
        parser.add_argument("--until", type=_moment, metavar="TIME", help="lines before this time (UTC)")
        parser.add_argument("--user", default="", help="lines of this account")
        parser.add_argument("--action", default="", help="lines of this action, such as set_configuration")
        parser.add_argument("--entity-type", default="", help="lines about this kind of thing, such as detection")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        given = {name: value for name, value in options.items() if value}
        conditions = {lookup: given[name] for name, lookup in _CONDITIONS.items() if name in given}
        parts = exported(AuditLog.objects.filter(**conditions), options["format"])
        path = options["file"]
        if str(path) == "-":
            for part in parts:
                self.stdout.write(part, ending="")
            return
        # Beside it until it is whole: a file under this name is never half of one.
        unfinished = path.with_name(f"{path.name}.part")
        try:
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                file.writelines(parts)
            unfinished.replace(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error


def _moment(text: str) -> dt.datetime:
    try:
        given = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2024-03-01 or 2024-03-01T21:00") from error
    return given if given.tzinfo else given.replace(tzinfo=dt.UTC)
