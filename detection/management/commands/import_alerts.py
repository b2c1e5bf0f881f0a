"""`manage.py import_alerts PATH...`: alerts of ZTF and LSST, as packets or tables, for triage."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError

from catalog.failures import StageFailure
from detection.stage.import_alerts import Imported, import_alerts


class _Given(TypedDict):
    paths: list[Path]
    json: bool


class Command(BaseCommand):
    """Exit 0: all is here. 1: some were refused, each by name. 2: bad usage. docs/imported.md says what comes of it."""

    help = "Import alerts of ZTF and LSST for triage: Avro packets, and parquet tables of brokers."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder of them")
        parser.add_argument("--json", action="store_true", help="print what became of them as one JSON document")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        missing = [str(path) for path in options["paths"] if not path.exists()]
        if missing:
            raise CommandError(f"There is no {', '.join(missing)}.", returncode=2)
        done, shown = Imported(), 0
        try:
            for done in import_alerts(options["paths"]):
                for one in done.refused[shown:]:
                    self._say(f"{one.name}: refused, {one.reason}.")
                shown = len(done.refused)
                self._say(f"{done.packets} packets so far.")
        except StageFailure as failure:
            raise CommandError(failure.sentence) from failure
        self._tell(done, as_json=options["json"])
        if done.refused:
            sys.exit(1)

    def _tell(self, done: Imported, *, as_json: bool) -> None:
        if as_json:
            refused = [{"name": one.name, "reason": one.reason} for one in done.refused]
            told = {"files": done.files, "imported": done.imported, "known": done.known, "refused": refused}
            self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))
            return
        self.stdout.write(
            f"{done.imported} imported, {done.known} already there, {len(done.refused)} refused, of {done.files} files."
        )

    def _say(self, line: str) -> None:
        """Report progress: on standard error, so that standard output holds what became of all."""
        self.stderr.write(line, style_func=str)
        self.stderr.flush()
