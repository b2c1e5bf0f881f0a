"""A million detections of three hundred thousand objects, written by the database itself from a table of numbers."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from itertools import count
from uuid import UUID

import numpy as np
from django.db import connection, transaction

from benchmarks import crowd
from benchmarks.bulk import write
from curation.models import ValidationEvent
from detection.models import Detection, DetectionStatus, Source
from observations.numerics.healpix import position_index
from tests import factories

# As many epochs has each object in turn: 20 for 6 objects.
EPOCHS = (5, 1, 4, 2, 5, 3)
_STATES = (DetectionStatus.PENDING, DetectionStatus.VALIDATED, DetectionStatus.REJECTED)
_SHARES = (0.6, 0.15, 0.25)
_FIELDS = 20
# About one arcsecond: what two epochs of one object lie apart at most.
_APART_DEG = 0.3 / 3600.0
_FIRST = dt.datetime(2024, 1, 1, 22, tzinfo=dt.UTC)
_TABLE = """CREATE TEMPORARY TABLE fresh (
    detection uuid, candidate uuid, event uuid, source uuid, first boolean, ra float, dec float, healpix bigint,
    x float, y float, snr float, score float, status text, cutouts text, at timestamptz,
    observation uuid, difference uuid, inference uuid, epochs int
) ON COMMIT DROP"""


def fill(detections: int) -> None:
    """Fill an empty site; the same every time but for the keys."""
    runs, paths = crowd.frames(random.Random(1)), crowd.cutouts(200)
    person = factories.UserFactory(username="bench-curator")
    with transaction.atomic(), connection.cursor() as cursor:
        # What refers to other rows is right as it is made: a million look-ups for each reference take minutes.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(_TABLE)
        with cursor.copy("COPY fresh FROM STDIN") as copy:
            for row in _rows(detections, runs, paths):
                copy.write_row(row)
        write(Source(position_error_arcsec=0.3, first_detected_at=_FIRST), {
            "id": "source", "ra": "ra", "dec": "dec", "healpix": "healpix", "detection_count": "epochs",
            "last_detected_at": "at",
        }, "first")  # fmt: skip
        _, difference, inference = runs[0]
        write(factories.CandidateFactory.build(difference_run=difference, observation=difference.observation), {
            "id": "candidate", "ra": "ra", "dec": "dec", "healpix": "healpix", "pixel_x": "x", "pixel_y": "y",
            "snr": "snr", "significance": "snr", "observation_id": "observation", "difference_run_id": "difference",
        })  # fmt: skip
        write(Detection(model_run=inference, model_version="bench 1"), {
            "id": "detection", "ra": "ra", "dec": "dec", "healpix": "healpix", "pixel_x": "x", "pixel_y": "y",
            "candidate_id": "candidate", "source_id": "source", "confidence_score": "score", "status": "status",
            "cutouts_path": "cutouts", "observation_id": "observation", "model_run_id": "inference",
            "created_at": "at",
        })  # fmt: skip
        write(ValidationEvent(validator=person), {
            "id": "event", "detection_id": "detection", "is_valid": "status = 'validated'", "created_at": "at",
        }, "status <> 'pending'")  # fmt: skip


def _rows(detections: int, runs: Sequence[crowd.Run], paths: Sequence[str]) -> Iterator[tuple[object, ...]]:
    rng = np.random.default_rng(1)
    written = 0
    for number in count():
        epochs = min(EPOCHS[number % len(EPOCHS)], detections - written)
        if not epochs:
            return
        written += epochs
        ra, dec = rng.uniform(0.01, 359.99), float(np.degrees(np.arcsin(rng.uniform(-0.98, 0.98))))
        ras, decs = ra + rng.uniform(0, _APART_DEG, epochs), dec + rng.uniform(0, _APART_DEG, epochs)
        cells = position_index(ras, decs).tolist()
        status, source, best = rng.choice(_STATES, p=_SHARES), _key(rng), rng.uniform(0.05, 1.0)
        nights = len(runs) // _FIELDS
        night = int(rng.integers(max(nights - epochs, 1)))
        for epoch in range(epochs):
            frame, difference, inference = runs[(number % _FIELDS + _FIELDS * (night + epoch)) % len(runs)]
            yield (
                _key(rng), _key(rng), _key(rng), source, epoch == epochs - 1, float(ras[epoch]), float(decs[epoch]),
                cells[epoch], *rng.uniform(40, 980, 2).tolist(), rng.uniform(5, 100), best * rng.uniform(0.9, 1.0),
                status, paths[int(rng.integers(len(paths)))], frame.observation_time + dt.timedelta(seconds=written),
                frame.pk, difference.pk, inference.pk, epochs,
            )  # fmt: skip


def _key(rng: np.random.Generator) -> UUID:
    return UUID(bytes=rng.bytes(16), version=4)
