"""`manage.py examine`: have the headers of stored frames read again, by today's profiles and today's reading."""

from __future__ import annotations

import argparse
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Q

from catalog.ids import uuid7
from catalog.work import jobs
from observations.claims.doubts import EXAMINE
from observations.claims.reading import READING_VERSION
from observations.models import InstrumentProfile, Observation


class _Given(TypedDict):
    all: bool
    profile: str | None


class Command(BaseCommand):
    """Orders one job a frame, which the workers do; a frame whose facts change goes through all stages again."""

    help = "Read the headers of stored frames again: those never examined for doubts, of one profile, or all."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="all frames, also those that were examined before")
        parser.add_argument("--profile", metavar="NAME", help="the frames that were read by this profile")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        rows = Observation.objects.live()
        if options["profile"]:
            if not InstrumentProfile.objects.filter(name=options["profile"]).exists():
                raise CommandError(f"There is no profile {options['profile']}.")
            rows = rows.filter(profile__name=options["profile"])
        elif not options["all"]:
            rows = rows.filter(Q(read_by_version__isnull=True) | Q(read_by_version__lt=READING_VERSION))
        keys = list(rows.order_by("observation_time", "id").values_list("pk", flat=True))
        workflow_id = f"examine-{uuid7()}"
        with transaction.atomic():
            for key in keys:
                jobs.enqueue(EXAMINE, "observation", key, workflow_id=workflow_id)
        self.stdout.write(f"{len(keys)} frames will be read again.")
