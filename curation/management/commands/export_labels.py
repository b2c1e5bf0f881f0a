"""Write what people have decided about detections to a file, from which networks are trained."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.files import storage
from curation.labels.export import keep_labels, write_labels
from detection.registry.ordering import new_version


class _Given(TypedDict):
    file: Path | None


class Command(BaseCommand):
    help = (
        "Write a line of JSON for each detection that people have decided about: what they say, how sure they are, "
        "what they saw, and what the model had said. `manage.py build_dataset --labels` reads it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="By default in labels/ in the data root.")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        path = options["file"]
        try:
            if path is None:
                name, count = keep_labels(new_version())
                path = storage.resolve(name)
            else:
                count = write_labels(path)
        except (OSError, storage.StorageFull) as error:
            raise CommandError(f"{path} cannot be written: {error}") from error
        self.stdout.write(f"{path}: {count} detections")
