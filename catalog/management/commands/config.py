"""`manage.py config`: the configuration as a file: export, compare, import."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError

from catalog.configuration import files
from catalog.configuration.changes import ChangeRefused, change, plan
from catalog.configuration.preview import Preview, preview
from catalog.configuration.words import shown
from catalog.people.audit import Actor

DIFFERENT, REFUSED = 1, 2
_FROM = Actor(user_agent="manage.py config import")


class _Given(TypedDict):
    what: str
    file: str
    all: bool
    format: str
    reason: str
    yes: bool


class Command(BaseCommand):
    """A file is TOML or JSON, "key" = value; keys that it does not name keep their values. Secrets are never in it."""

    help = "Export the configuration, compare it with a file, or import one. Each is refused with 2, as a whole."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="what", required=True)
        export = actions.add_parser("export", help="write what differs from the defaults")
        export.add_argument("file", nargs="?", default="-", help="file to write (default: standard output)")
        export.add_argument("--all", action="store_true", help="write all keys")
        export.add_argument("--format", choices=files.FORMATS, help="default: by the file's name, else toml")
        diff = actions.add_parser("diff", help="show what an import would change; exits with 1 if anything")
        change_to = actions.add_parser("import", help="show what a file would change, ask, and do it as a whole")
        for action in (diff, change_to):
            action.add_argument("file", help="file to read, - for standard input")
        change_to.add_argument("--reason", default="", help="why; required for what changes science")
        change_to.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        try:
            {"export": self._export, "diff": self._diff, "import": self._import}[options["what"]](options)
        except ChangeRefused as refusal:
            raise CommandError("\n".join(refusal.reasons.values()), returncode=REFUSED) from refusal
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be used: {error}", returncode=REFUSED) from error

    def _export(self, options: _Given) -> None:
        kind = options["format"] or ("json" if options["file"].endswith(".json") else "toml")
        text = files.written(kind, everything=options["all"])
        if options["file"] == "-":
            self.stdout.write(text, ending="")
        else:
            Path(options["file"]).write_text(text, encoding="utf-8")

    def _diff(self, options: _Given) -> None:
        found = preview(plan(self._read(options)))
        self._show(found)
        if found.plan.changes:
            sys.exit(DIFFERENT)

    def _import(self, options: _Given) -> None:
        asked = self._read(options)
        found = preview(plan(asked))
        self._show(found)
        if not found.plan.changes:
            return
        if not options["yes"]:
            self.stdout.write("Change this? Write yes: ", ending="")
            self.stdout.flush()
            if sys.stdin.readline().strip().lower() not in ("y", "yes"):
                raise CommandError("Nothing was changed.")
        done = change(asked, options["reason"], _FROM, state=found.plan.state)
        self.stdout.write(f"{len(done.changes)} changed.")

    def _read(self, options: _Given) -> dict[str, object]:
        # Of standard input the answer to the question could not be read any more.
        if options["file"] == "-" and options["what"] == "import" and not options["yes"]:
            raise CommandError("From standard input a file is imported with --yes only.", returncode=REFUSED)
        return files.read(sys.stdin.read() if options["file"] == "-" else Path(options["file"]).read_text("utf-8"))

    def _show(self, found: Preview) -> None:
        for one in found.plan.changes:
            self.stdout.write(f"{one.key.name}: {shown(one.told_before)} → {shown(one.told_after)}")
        for told in found.told:
            self.stdout.write(told.sentence)
        for sentence in found.concerns:
            self.stdout.write(sentence)
        if not found.plan.changes:
            self.stdout.write("Nothing would change: these values are in use already.")
