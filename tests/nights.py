"""A small simulated night, taken through all stages once in a run of the tests; each test gets its own copy of it."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.db import transaction
from django.test import override_settings

from astrid_site.night.foreground import run_stage, run_stages
from catalog.configuration.values import snapshot
from curation.models import Alert
from observations.delivery.ingest import Overrides, ingest_paths
from observations.delivery.simulated import write_synthetic_nights
from observations.models import Field, Observation
from observations.numerics.simulate.nights import NightParameters
from tests.once import once

# Large enough for 50 stars above the threshold, small enough for a second a frame.
PARAMETERS = NightParameters(
    seed=3, size=320, nights=2, frames=3, stars_per_mpx=1400, transients=4, transient_snr=(20.0, 60.0), dither_px=8.0
)
OUR_APPS = ("catalog", "observations", "preprocessing", "differencing", "detection", "curation")


@dataclass(frozen=True)
class Processed:
    """Rows and files as they were when the last stage had ended."""

    rows: list[dict[str, Any]]
    root: Path


@dataclass(frozen=True)
class Night:
    """The second of two nights in the database, differenced against the first: what was delivered, and its truth."""

    folder: Path
    truth: dict[str, Any]

    @property
    def field(self) -> Field:
        return Field.objects.get()

    @property
    def good(self) -> list[Observation]:
        """The frames of the second night that went through to the end, in order of time."""
        names = [name for name, facts in self.truth.items() if facts["night"] == 2 and not facts["is_clouded"]]
        return list(Observation.objects.filter(original_name__in=names).order_by("mjd_utc"))

    @property
    def earlier(self) -> list[Observation]:
        names = [name for name, facts in self.truth.items() if facts["night"] == 1]
        return list(Observation.objects.filter(original_name__in=names).order_by("mjd_utc"))

    @property
    def clouded(self) -> Observation:
        return Observation.objects.get(original_name__in=[n for n, facts in self.truth.items() if facts["is_clouded"]])

    def sources(self, observation: Observation, kind: str) -> list[dict[str, Any]]:
        """Return what changed in one frame, of one kind: name, x, y, change_adu, …"""
        return [entry for entry in self.truth[observation.original_name]["sources"] if entry["kind"] == kind]


def quiet(_: str) -> None:
    """Drop a line of progress."""


@pytest.fixture(scope="session")
def delivered_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write two simulated nights as FITS files, with truth.json, and return their folder."""
    return once(tmp_path_factory, "delivered", lambda folder: list(write_synthetic_nights(folder, PARAMETERS)))


@pytest.fixture(scope="session")
def few_frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a night and one light of the next, and return their folder: what has masters, a stack and a difference."""

    def write(folder: Path) -> None:
        for name in write_synthetic_nights(folder, replace(PARAMETERS, size=224, stars_per_mpx=2800)):
            if name.startswith("night2") and name != "night2_light01.fits":
                (folder / name).unlink()

    return once(tmp_path_factory, "few", write)


@pytest.fixture(scope="session")
def processed_night(
    delivered_nights: Path, tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any
) -> Processed:
    """Process both nights in a transaction that is taken back: the first up to preprocessing, the second to the end."""

    def process(folder: Path) -> None:
        with django_db_blocker.unblock():
            (folder / "rows").write_bytes(pickle.dumps(_processed(delivered_nights, folder / "root")))

    folder = once(tmp_path_factory, "processed", process)
    return Processed(pickle.loads((folder / "rows").read_bytes()), folder / "root")


def _processed(delivered: Path, root: Path) -> list[dict[str, Any]]:
    """Process what was delivered, with a data root that this makes; return the rows."""
    root.mkdir()
    with override_settings(ASTRID_DATA_ROOT=root), transaction.atomic():
        before = {model: set(model.objects.values_list("pk", flat=True)) for model in _models()}
        ingest_paths([delivered], overrides=Overrides(), config=snapshot(), report=quiet)
        first, second = sorted(set(Observation.objects.values_list("night", flat=True)))
        run_stage("masters", "night", [(first.isoformat(), "first night")], quiet)
        earlier = Observation.objects.filter(night=first)
        run_stage("preprocess", "observation", [(row.pk, row.original_name) for row in earlier], quiet)
        run_stages(Observation.objects.filter(night=second), quiet)
        # A detection that was made known is kept for ever; most tests want to see what a stage does with the others.
        Alert.objects.all().delete()
        made = [row for model in _models() for row in model.objects.exclude(pk__in=before[model])]
        rows: list[dict[str, Any]] = serializers.serialize("python", made)
        transaction.set_rollback(True)
    return rows


@pytest.fixture(scope="session")
def loops(processed_night: Processed) -> None:
    """For those who process nights of their own: on a new clone one worker compiles the loops over pixels for all."""


@pytest.fixture
def night(processed_night: Processed, delivered_nights: Path, db: None, empty_data_root: Path) -> Night:
    """Give a test the processed night: rows in its own transaction, files in its own data root."""
    return restore(processed_night, delivered_nights, empty_data_root)


def restore(processed: Processed, delivered: Path, root: Path) -> Night:
    """Put rows and files of a processed night into the present transaction and a data root."""
    # Products are replaced by renaming, so that a link keeps the original of what a test writes anew.
    shutil.copytree(processed.root, root, copy_function=os.link, dirs_exist_ok=True)
    for row in serializers.deserialize("python", processed.rows):
        row.save(force_insert=True)
    truth = json.loads((delivered / "truth.json").read_text())["files"]
    return Night(delivered, truth)


def _models() -> list[Any]:
    return [model for label in OUR_APPS for model in apps.get_app_config(label).get_models()]
