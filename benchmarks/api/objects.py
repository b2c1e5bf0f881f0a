"""Millions of alerts, with the detections and sources that they tell of, and one source that was seen for years."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterator, Sequence

import numpy as np
from django.db import connection, transaction
from psycopg import sql

from benchmarks import crowd
from benchmarks.bulk import without_indexes, write
from catalog.json_classes import as_json
from curation.alerts.facts import AlertFacts, Ground
from curation.models import Alert, AlertPublication, AlertStatus
from detection.models import Detection, DetectionStatus, DetectionType, ForcedPhotometry, Source
from differencing.models import Candidate
from observations.models import Observation, WcsQuality
from observations.numerics.healpix import position_index
from tests import factories

# As many epochs has each object in turn.
EPOCHS = (5, 1, 4, 2, 5, 3)
# Where the source is that was seen in so many frames.
LONG_RA, LONG_DEC, LONG_BAND = 187.5, 12.5, "R"
_FIRST = dt.datetime(2024, 1, 1, 22, tzinfo=dt.UTC)
_FIRST_MJD = 60310.9
_APART_DEG = 0.3 / 3600.0
_BLOCK = 100_000
_TABLE = """CREATE UNLOGGED TABLE fresh (
    number bigint, object bigint, epoch int, epochs int, ra float, dec float, healpix bigint,
    x float, y float, snr float, score float, mag float, at timestamptz,
    observation uuid, difference uuid, inference uuid, cutouts text
)"""
# Keys of version 7, in order of the number: of each kind of row other ones.
_KEY = "(lpad(to_hex(1704150000000 + {of} / 4), 12, '0') || '7{kind:03x}8' || lpad(to_hex({of}), 15, '0'))::uuid"
_MESSAGE = (
    "New or brighter source at 10:00:02.40 +02:00:36.0 (150.01000, +2.01000), error 0.30″ (1 sigma, solved against a "
    "catalogue).\\n2024-02-27 00:00:00 UTC (MJD 60367.00000), band R, 60 s: 17.26 ± 0.05 mag (AB), S/N 25.0.\\nSeen in "
    "1 frame of 1 night, first 2024-02-27 00:00:00 UTC; not seen to 19.0 mag 2024-02-25 00:00:00 UTC.\\nScore 0.999 by "
    "realbogus 3. Judged real by bench-curator (high confidence)."
)


def fill(alerts: int, epochs_of_long: int) -> None:
    """Fill an empty site; the same every time."""
    runs, paths = crowd.frames(random.Random(1)), crowd.cutouts(200)
    factories.UserFactory(username="bench-curator")
    every = (Candidate, Source, Detection, Alert, AlertPublication, Observation, ForcedPhotometry)
    with transaction.atomic(), connection.cursor() as cursor:
        # What refers to other rows is right as it is made.
        cursor.execute("SET LOCAL session_replication_role = replica")
        with without_indexes(*every):
            cursor.execute(_TABLE)
            with cursor.copy("COPY fresh FROM STDIN") as copy:
                for row in _rows(alerts, runs, paths):
                    copy.write_row(row)
            _objects(runs[0])
            _alerts()
            cursor.execute("DROP TABLE fresh")
            _long_source(runs[0], epochs_of_long)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def key(kind: int, of: str) -> str:
    """Return the SQL of a key by its number."""
    return _KEY.format(kind=kind, of=of)


CANDIDATE, SOURCE, DETECTION, ALERT, PUBLICATION, FRAME, FORCED = range(1, 8)


def _rows(alerts: int, runs: Sequence[crowd.Run], paths: Sequence[str]) -> Iterator[Sequence[object]]:
    rng, number, each = np.random.default_rng(1), 0, len(EPOCHS)
    frames = [(frame.pk, difference.pk, inference.pk) for frame, difference, inference in runs]
    for begin in range(0, alerts, _BLOCK):
        size = min(_BLOCK, alerts - begin)
        objects = np.repeat(np.arange(size), np.resize(EPOCHS, size))[:size]
        ra, dec = rng.uniform(0.01, 359.99, size), np.degrees(np.arcsin(rng.uniform(-0.98, 0.98, size)))
        ra, dec = ra[objects] + rng.uniform(0, _APART_DEG, size), dec[objects] + rng.uniform(0, _APART_DEG, size)
        first = np.searchsorted(objects, objects, side="left")
        epoch = np.arange(size) - first
        last = np.searchsorted(objects, objects, side="right") - first
        columns = np.stack([ra, dec, *rng.uniform(40, 980, (2, size)), rng.uniform(5, 100, size),
                            rng.uniform(0.05, 1, size), rng.uniform(15, 20, size)]).T.tolist()  # fmt: skip
        cells, places = position_index(ra, dec).tolist(), rng.integers(len(runs), size=size).tolist()
        for k in range(size):
            number += 1
            ra_deg, dec_deg, *rest = columns[k]
            at = _FIRST + dt.timedelta(seconds=12 * number)
            frame = frames[places[k]]
            yield (number, begin * each + int(objects[k]), int(epoch[k]), int(last[k]), ra_deg, dec_deg, cells[k],
                   *rest, at, *frame, paths[k % len(paths)])  # fmt: skip


def _objects(run: crowd.Run) -> None:
    _, difference, inference = run
    places = {"ra": "ra", "dec": "dec", "healpix": "healpix"}
    write(Source(position_error_arcsec=0.3, first_detected_at=_FIRST, wcs_quality=WcsQuality.SOLVED), {
        "id": key(SOURCE, "object"), **places, "detection_count": "epochs", "last_detected_at": "at",
    }, "epoch = epochs - 1")  # fmt: skip
    write(factories.CandidateFactory.build(difference_run=difference, observation=difference.observation), {
        "id": key(CANDIDATE, "number"), **places, "pixel_x": "x", "pixel_y": "y", "snr": "snr", "significance": "snr",
        "observation_id": "observation", "difference_run_id": "difference",
    })  # fmt: skip
    write(Detection(model_run=inference, model_version="bench 1", status=DetectionStatus.VALIDATED), {
        "id": key(DETECTION, "number"), **places, "pixel_x": "x", "pixel_y": "y",
        "candidate_id": key(CANDIDATE, "number"), "source_id": key(SOURCE, "object"), "confidence_score": "score",
        "cutouts_path": "cutouts", "observation_id": "observation", "model_run_id": "inference", "created_at": "at",
    })  # fmt: skip


def _alerts() -> None:
    """Write alerts and their publications, each with what an alert of one frame says."""
    numbers = (
        f"'{json.dumps(as_json(_facts()))}'::jsonb || jsonb_build_object('source', {key(SOURCE, 'object')}, "
        f"'ra_deg', ra, 'dec_deg', dec, 'mag', mag, 'snr', snr, 'score', score, 'mid_time', at, "
        f"'detections', jsonb_build_array({key(DETECTION, 'number')}))"
    )
    kind = "CASE epoch WHEN 0 THEN 'new' ELSE 'update' END"
    priority = "CASE WHEN mag < 15.5 THEN 'critical' WHEN snr > 90 THEN 'high' ELSE 'medium' END"
    title = "'New source ' || round(ra::numeric, 5) || ' ' || round(dec::numeric, 5)"
    message = f"E'{_MESSAGE}'"
    write(Alert(status=AlertStatus.SENT, is_published=True), {
        "id": key(ALERT, "number"), "number": "number", "created_at": "at", "updated_at": "at", "sent_at": "at",
        "alert_type": kind, "detection_id": key(DETECTION, "number"), "title": title, "message": message,
        "alert_metadata": numbers, "priority": priority,
    })  # fmt: skip
    payload = (
        f"jsonb_build_object('alert', {key(ALERT, 'number')}, 'detection', {key(DETECTION, 'number')}, 'source', "
        f"{key(SOURCE, 'object')}, 'alert_type', {kind}, 'priority', {priority}, 'title', {title}, 'message', "
        f"{message}, 'metadata', {numbers})"
    )
    write(AlertPublication(published_at=_FIRST), {
        "id": key(PUBLICATION, "number"), "sequence": "number", "alert_id": key(ALERT, "number"),
        "version": "epoch + 1", "kind": kind, "published_at": "at", "created_at": "at", "updated_at": "at",
        "payload": payload,
    })  # fmt: skip


def _facts() -> AlertFacts:
    nothing = dict.fromkeys(field for field in AlertFacts.__dataclass_fields__)
    return AlertFacts(**nothing | {
        "position_error_arcsec": 0.3, "wcs_quality": WcsQuality.SOLVED, "mjd_utc": _FIRST_MJD, "band": "R",
        "exposure_s": 60.0, "frame": "frame00001.fits", "is_negative": False, "flux_adu": 1250.0,
        "flux_error_adu": 50.0, "mag_error": 0.05, "mag_system": "AB", "mag_catalogue": "Gaia DR3",
        "model": "bench 1", "reference_version": 1, "flags": (), "detections": (), "epochs": 1, "nights": 1,
        "first_detected_at": _FIRST, "detection_type": DetectionType.UNKNOWN, "basis": Ground.HUMAN, "grounds": {},
        "judged_by": (),
    })  # type: ignore[arg-type]  # fmt: skip


def _long_source(run: crowd.Run, epochs: int) -> None:
    """Write a source that was measured in every one of so many frames, and detected in a few."""
    frame, difference, _ = run
    source = Source.objects.create(
        ra=LONG_RA, dec=LONG_DEC, position_error_arcsec=0.1, first_detected_at=_FIRST, last_detected_at=_FIRST,
        detection_count=1, wcs_quality=WcsQuality.SOLVED,
    )  # fmt: skip
    reference = factories.ReferenceFactory()
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE UNLOGGED TABLE fresh AS SELECT generate_series(1, {}) AS number").format(epochs))
    template = factories.ObservationFactory.build(survey=frame.survey, field=frame.field)
    write(template, {
        "id": key(FRAME, "number"), "observation_id": "'long' || number",
        "sha256": "encode(sha256(('long ' || number)::bytea), 'hex')",
        "mjd_utc": f"{_FIRST_MJD} + number / 50.0",
        "observation_time": f"'{_FIRST}'::timestamptz + number * '1728 s'::interval",
    })  # fmt: skip
    write(ForcedPhotometry(
        source=source, difference_run=difference, reference=reference, ra=LONG_RA, dec=LONG_DEC,
        position_error_arcsec=0.1, flux_error=50.0, is_geocentric=True, zero_point_mag=25.0, zero_point_error=0.02,
        zero_point_system="AB",
    ), {
        "id": key(FORCED, "number"), "observation_id": key(FRAME, "number"),
        "flux": "500 + 300 * sin(number / 700.0)", "mjd_utc": f"{_FIRST_MJD} + number / 50.0",
        "bjd_tdb": f"{_FIRST_MJD} + 2400000.5 + number / 50.0",
    })  # fmt: skip
