"""What people and clients may do with deliveries: hand in files and folders of FITS frames."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from catalog.configuration.values import Snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.models import JobStatus, ProcessingJob
from catalog.retention.words import forget_removed
from catalog.work import jobs
from observations.claims.reading import reading_with
from observations.delivery.rows import footprint, make_calibration, make_observation, printable
from observations.models import CalibrationFrame, Observation, Survey
from observations.numerics.fits.images import (
    FitsRefused,
    Overrides,
    RawImage,
    ReadLimits,
    is_same_exposure,
    scan_images,
)

__all__ = ["IngestResult", "Overrides", "footprint", "ingest_paths", "order_processing", "printable"]

INGEST = "ingest"
_SUFFIXES = (".fits", ".fit", ".fts", ".fits.fz", ".fit.fz")
_MEGABYTE = 2**20
_ENDED = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)
# Advisory locks of this module, so that two processes never make one field, telescope or job twice.
_ROW_LOCK, _JOB_LOCK = 7301, 7302

Report = Callable[[str], None]


@dataclass(frozen=True)
class Delivery:
    """What the files that are handed in together have in common."""

    overrides: Overrides
    config: Snapshot
    workflow_id: str = ""
    survey: Survey | None = None


@dataclass(frozen=True)
class IngestResult:
    """What became of one image, or of a file (hdu_index None) that could not be read at all."""

    path: Path
    hdu_index: int | None = None
    entity_type: str = ""
    entity_id: UUID | None = None
    is_new: bool = False
    failure_code: str = ""
    error_message: str = ""
    doubt_count: int = 0

    @property
    def is_refused(self) -> bool:
        return bool(self.failure_code)


def ingest_paths(
    paths: Iterable[str | Path], *, overrides: Overrides, config: Snapshot, report: Report, workflow_id: str = ""
) -> list[IngestResult]:
    """Take in every FITS file among files and folders (folders in depth, in order of name).

    Lights become Observations of the survey `local`, bias, dark and flat frames CalibrationFrames; the same bytes
    become one row by whatever route and however often. What is refused has a failed job with its reason. The
    processing of what is new is ordered in the transaction that makes its row.
    """
    delivery = Delivery(overrides, config, workflow_id)
    results: list[IngestResult] = []
    files = [(path, list(fits_files(Path(path)))) for path in paths]
    count, done = sum(len(found) for _, found in files), 0
    for path, found in files:
        if not found:
            results += _ingest_file(Path(path), delivery)
        for file in found:
            done += 1
            outcome = _ingest_file(file, delivery)
            report(f"[{done}/{count}] {printable(file.name)}: {_summary(outcome)}")
            results += outcome
    return results


def _summary(outcome: list[IngestResult]) -> str:
    parts = []
    for result in outcome:
        state = "new" if result.is_new else "known"
        doubts = f", {result.doubt_count} in doubt" if result.doubt_count else ""
        parts.append(result.error_message if result.is_refused else f"{result.entity_type} ({state}{doubts})")
    return "; ".join(parts)


def fits_files(path: Path) -> Iterator[Path]:
    """Yield the file itself, or the FITS files below a folder, by name, without hidden ones and links to folders."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            plain = name.lower().removesuffix(".gz")
            if not name.startswith(".") and plain.endswith(_SUFFIXES):
                yield Path(folder) / name


def _limits(config: Snapshot) -> ReadLimits:
    most = config["ingest.max_unpacked_mb"] * _MEGABYTE
    return ReadLimits(max_hdu_bytes=most, max_unpacked_bytes=most, max_axis_px=config["ingest.max_axis_px"])


def _ingest_file(path: Path, delivery: Delivery) -> list[IngestResult]:
    """Do one file inside its job row; a fault of the program ends this file and not the night."""
    results: list[IngestResult] = []

    def work(_: ProcessingJob) -> None:
        results.extend(ingest_file(path, delivery))
        refused = [result for result in results if result.is_refused]
        if refused:
            # A mosaic of which a part cannot be used has failed in part: the row says which and how many went well.
            sentence = " ".join(_with_place(result, len(results)) for result in refused)
            sentence = f"{printable(path.name)}: {sentence}"
            raise StageFailure(FailureCode(refused[0].failure_code), sentence)

    job = _job_of(path, delivery.workflow_id)
    try:
        job = jobs.run_inline(job, work)
    except jobs.JobLost:
        # Another process takes in the same file at this moment; the same bytes still become one row.
        results.clear()
        return ingest_file(path, delivery)
    except jobs.JobCrashed as crash:
        return [_refused(path, None, crash.job.failure_code, crash.job.error_message)]
    if job.status == JobStatus.FAILED and not any(result.is_refused for result in results):
        return [_refused(path, None, job.failure_code, job.error_message)]
    return results


def _with_place(result: IngestResult, count: int) -> str:
    return result.error_message if count == 1 else f"HDU {result.hdu_index}: {result.error_message}"


def _refused(path: Path, hdu_index: int | None, code: str, sentence: str) -> IngestResult:
    return IngestResult(path, hdu_index, failure_code=code, error_message=sentence)


def _job_of(path: Path, workflow_id: str) -> ProcessingJob:
    """The one job row of this file, waiting: a repeat takes up the row that it left."""
    name = os.fsencode(path.resolve())
    same = {"job_type": INGEST, "entity_type": "file", "entity_id": hashlib.sha256(name).hexdigest()}
    with transaction.atomic():
        _lock(_JOB_LOCK)
        last = ProcessingJob.objects.filter(**same).order_by("-created_at").first()
        if last is None or last.status == JobStatus.RUNNING:
            return jobs.enqueue(INGEST, "file", same["entity_id"], workflow_id=workflow_id)
        ended = ProcessingJob.objects.filter(pk=last.pk, status__in=_ENDED)
        ended.update(
            status=JobStatus.PENDING, failure_code="", error_message="", error_details={}, completed_at=None,
            workflow_id=workflow_id,
        )  # fmt: skip
        last.refresh_from_db()
        return last


def _lock(number: int) -> None:
    """Hold an advisory lock to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def ingest_file(path: Path, delivery: Delivery) -> list[IngestResult]:
    """Take in the images of one file, without a job of its own; what is refused is in the results."""
    try:
        reading = reading_with(delivery.overrides)
        found = scan_images(path, limits=_limits(delivery.config), reading=reading)
    except FitsRefused as refusal:
        return [_refused(path, None, refusal.code, str(refusal))]
    except (FileNotFoundError, IsADirectoryError):
        sentence = "This folder holds no FITS files." if path.is_dir() else "There is no such file."
        return [_refused(path, None, FailureCode.FILE_MISSING, sentence)]
    except PermissionError:
        return [_refused(path, None, FailureCode.FILE_MISSING, "The file cannot be read: check its permissions.")]
    results = []
    for hdu_index, item in found:
        if isinstance(item, FitsRefused):
            results.append(_refused(path, hdu_index, item.code, str(item)))
        else:
            results.append(_ingest_image(path, item, delivery))
    return results


def _ingest_image(path: Path, image: RawImage, delivery: Delivery) -> IngestResult:
    model = Observation if image.facts.kind == "light" else CalibrationFrame
    known = model.objects.filter(sha256=image.sha256).first() or _twin(model, image)
    is_new = False
    if known is None:
        try:
            stored = _store_raw(path)
        except storage.StorageFull as full:
            return _refused(path, image.hdu_index, FailureCode.DISK_FULL, str(full))
        try:
            with transaction.atomic():
                _lock(_ROW_LOCK)
                known = (
                    make_observation(image, stored, delivery.overrides, delivery.config, delivery.survey)
                    if model is Observation
                    else make_calibration(image, stored, delivery.overrides)
                )
                order_processing([known], delivery.workflow_id)
            is_new = True
        except IntegrityError:
            # Somebody else was faster with the same bytes; any other cause shows itself here.
            known = model.objects.get(sha256=image.sha256)
    else:
        try:
            _bring_back(path, known)
        except storage.StorageFull as full:
            return _refused(path, image.hdu_index, FailureCode.DISK_FULL, str(full))
    return IngestResult(
        path, image.hdu_index, known._meta.model_name or "", known.pk, is_new, doubt_count=len(image.facts.doubts)
    )


def _bring_back(path: Path, known: Observation | CalibrationFrame) -> None:
    """Keep the file of a known frame whose own is gone: retention removed it, or it was lost."""
    if not storage.exists(known.fits_file_path):
        known.fits_file_path = _store_raw(path)
        with transaction.atomic():
            known.save(update_fields=["fits_file_path", "updated_at"])
            forget_removed(known)


def order_processing(frames: Iterable[Observation | CalibrationFrame], workflow_id: str) -> None:
    """Order the first stages for frames, new or known, in the caller's transaction; each orders the next."""
    rows = list(frames)
    for night in sorted({row.night for row in rows}):
        jobs.enqueue("masters", "night", night.isoformat(), workflow_id=workflow_id)
    lights = [row for row in rows if isinstance(row, Observation)]
    for row in sorted(lights, key=lambda row: (row.mjd_utc, row.observation_id)):
        jobs.enqueue("preprocess", "observation", row.pk, workflow_id=workflow_id)


def _twin(model: type[Observation] | type[CalibrationFrame], image: RawImage) -> Observation | CalibrationFrame | None:
    """The same exposure as it was delivered before, one of the two tile-compressed; else None."""
    facts = image.facts
    alike = model.objects.filter(
        observation_time=facts.observation_time, image_width=facts.width, image_height=facts.height
    )
    for row in alike.filter(exposure_time=facts.exposure_s or 0.0):
        try:
            path = storage.open_stored(row.fits_file_path)
        except FileNotFoundError:
            continue
        if is_same_exposure(image, path, row.hdu_index, row.header):
            return row
    return None


def _store_raw(path: Path) -> str:
    """Keep a file as delivered under the data root, by the hash of its bytes: linked where possible, else copied."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        suffix = ".fits.gz" if file.read(2) == b"\x1f\x8b" else ".fits"
    return storage.keep(f"raw/{digest[:2]}/{digest}{suffix}", path)
