"""A site as it is after years: very many detections, their sources, what was said of them, alerts and jobs."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import random
from collections.abc import Iterator

import numpy as np
from django.db import connection

from catalog.files import storage
from catalog.models import ProcessingJob, User
from curation.models import Alert, AlertPublication, AlertStatus, ValidationEvent
from detection.models import Detection, DetectionStatus, ModelRun, Source
from differencing.models import Candidate, DifferenceRun
from observations.models import Field, Observation, ObservationStatus
from tests import factories

FRAMES, SOURCES_SHARE = 2000, 0.3
_BATCH = 5000

Run = tuple[Observation, DifferenceRun, ModelRun]
_FIRST_NIGHT = dt.datetime(2024, 1, 1, 22, tzinfo=dt.UTC)


def fill(detections: int) -> None:
    """Fill an empty site; the same every time."""
    rng = random.Random(1)
    runs = frames(rng)
    paths = cutouts()
    sources = _sources(rng, int(detections * SOURCES_SHARE))
    candidates = [_candidate(rng, run) for _, run, _ in _cycled(runs, detections)]
    Candidate.objects.bulk_create(candidates, batch_size=_BATCH)
    rows = [
        _detection(rng, candidate, model_run, rng.choice(sources), rng.choice(paths))
        for candidate, (_, _, model_run) in zip(candidates, _cycled(runs, detections), strict=True)
    ]
    Detection.objects.bulk_create(rows, batch_size=_BATCH)
    judged = [row for row in rows if row.status in (DetectionStatus.VALIDATED, DetectionStatus.REJECTED)]
    person = factories.UserFactory(username="bench-curator")
    _judgements(judged, person)
    _alerts(judged)
    ProcessingJob.objects.bulk_create(_jobs(rng, runs, detections), batch_size=_BATCH)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _cycled(runs: list[Run], count: int) -> Iterator[Run]:
    return (runs[number % len(runs)] for number in range(count))


def frames(rng: random.Random) -> list[Run]:
    """Make the frames of 20 fields, 20 a night, one of each field, with what was made of them."""
    survey, model = factories.SurveyFactory(name="bench"), factories.ModelFactory(is_active=True)
    fields: list[Field] = factories.FieldFactory.create_batch(20)
    rows = []
    for number in range(FRAMES):
        begun = _FIRST_NIGHT + dt.timedelta(days=number // 20, minutes=10 * (number % 20))
        rows.append(
            factories.ObservationFactory.build(
                survey=survey, field=fields[number % 20], observation_time=begun, night=begun.date(),
                status=ObservationStatus.DIFFERENCED, original_name=f"frame{number:05d}.fits",
                seeing=rng.uniform(1.5, 4.0),
            )
        )  # fmt: skip
    Observation.objects.bulk_create(rows, batch_size=_BATCH)
    differences = [
        factories.DifferenceRunFactory.build(observation=frame, reference_observation=other)
        for frame, other in zip(rows, [rows[-1], *rows], strict=False)
    ]
    DifferenceRun.objects.bulk_create(differences, batch_size=_BATCH)
    inferences = [factories.ModelRunFactory.build(model=model, observation=frame) for frame in rows]
    ModelRun.objects.bulk_create(inferences, batch_size=_BATCH)
    return list(zip(rows, differences, inferences, strict=True))


def cutouts(count: int = 20) -> list[str]:
    """Write a few cutouts, which all detections share."""
    rng, paths = np.random.default_rng(1), []
    y, x = np.mgrid[-31:32, -31:32]
    star = np.exp(-(x**2 + y**2) / 8.0)
    for number in range(count):
        noise = rng.normal(0, 1, (4, 63, 63))
        noise[3] = 0
        noise[0] += 100 + 40 * star
        noise[1] += 100
        noise[2] += 40 * star
        buffer = io.BytesIO()
        np.save(buffer, noise.astype(np.float32))
        paths.append(storage.write_atomically(f"cutouts/bench/{number}.npy", buffer.getvalue()))
    return paths


def _sources(rng: random.Random, count: int) -> list[Source]:
    rows = []
    for number in range(count):
        last = _FIRST_NIGHT + dt.timedelta(minutes=number)
        rows.append(
            Source(
                ra=rng.uniform(0, 359.999), dec=rng.uniform(-80, 80), position_error_arcsec=0.3, detection_count=3,
                first_detected_at=_FIRST_NIGHT, last_detected_at=last,
            )
        )  # fmt: skip
    return Source.objects.bulk_create(rows, batch_size=_BATCH)


def _candidate(rng: random.Random, run: DifferenceRun) -> Candidate:
    snr = rng.uniform(5, 100)
    row: Candidate = factories.CandidateFactory.build(
        difference_run=run, observation=run.observation, ra=rng.uniform(0, 359.999), dec=rng.uniform(-80, 80),
        pixel_x=rng.uniform(40, 980), pixel_y=rng.uniform(40, 980), snr=snr, significance=snr,
    )  # fmt: skip
    return row


def _detection(rng: random.Random, candidate: Candidate, run: ModelRun, source: Source, cutouts: str) -> Detection:
    status = rng.choices(list(DetectionStatus), (60, 0, 15, 20, 1, 4))[0]
    return Detection(
        candidate=candidate, observation=candidate.observation, model_run=run, source=source, ra=candidate.ra,
        dec=candidate.dec, pixel_x=candidate.pixel_x, pixel_y=candidate.pixel_y, confidence_score=rng.random(),
        model_version="bench 1", status=status, cutouts_path=cutouts,
    )  # fmt: skip


def _judgements(rows: list[Detection], person: User) -> None:
    events = [
        ValidationEvent(detection=row, validator=person, is_valid=row.status == DetectionStatus.VALIDATED)
        for row in rows
    ]
    ValidationEvent.objects.bulk_create(events, batch_size=_BATCH)


def _alerts(rows: list[Detection]) -> None:
    alerts = [
        Alert(detection=row, title=f"New source {number}", message="Bench.", status=AlertStatus.SENT, is_published=True)
        for number, row in enumerate(rows)
    ]
    Alert.objects.bulk_create(alerts, batch_size=_BATCH)
    publications = [
        AlertPublication(
            sequence=number, alert=alert, version=1, kind="new", published_at=_FIRST_NIGHT,
            payload={"alert": str(alert.pk), "title": alert.title, "metadata": {"snr": 12.0}},
        )
        for number, alert in enumerate(alerts, start=1)
    ]  # fmt: skip
    AlertPublication.objects.bulk_create(publications, batch_size=_BATCH)


def _jobs(rng: random.Random, runs: list[Run], count: int) -> list[ProcessingJob]:
    return [
        factories.ProcessingJobFactory.build(
            job_type=rng.choice(("preprocess", "difference", "detect")), entity_id=str(frame.pk), status="completed",
            workflow_id=hashlib.sha256(str(frame.night).encode()).hexdigest(), completed_at=_FIRST_NIGHT,
        )
        for frame, _, _ in _cycled(runs, count)
    ]  # fmt: skip
