"""What people and clients may do with deliveries: hand in files and folders of FITS frames."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from astropy.coordinates import SkyCoord
from django.db import IntegrityError, connection, transaction

from catalog import jobs, storage
from catalog.config import Snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.models import JobStatus, ProcessingJob
from observations.models import CalibrationFrame, Field, Observation, Survey, Telescope
from observations.numerics.fits import (
    FitsRefused,
    FrameFacts,
    Overrides,
    RawImage,
    ReadLimits,
    is_same_exposure,
    scan_images,
)
from observations.numerics.site import night_of

__all__ = ["IngestResult", "Overrides", "footprint", "ingest_paths", "printable"]

INGEST = "ingest"
LOCAL_SURVEY = "local"
_SUFFIXES = (".fits", ".fit", ".fts", ".fits.fz", ".fit.fz")
# Pixel scales of one field: more apart than this, stars cannot be matched at the scale that the solution searches.
_SCALE_TOLERANCE = 0.2
# Two sites of one telescope name: 0.1 degree is 11 km, more than any header rounds.
_SITE_TOLERANCE_DEG = 0.1
_MEGABYTE = 2**20
_ENDED = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)
# Advisory locks of this module, so that two processes never make one field, telescope or job twice.
_ROW_LOCK, _JOB_LOCK = 7301, 7302

Report = Callable[[str], None]
T = TypeVar("T")


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
    warnings: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        return bool(self.failure_code)


def ingest_paths(
    paths: Iterable[str | Path], *, overrides: Overrides, config: Snapshot, report: Report
) -> list[IngestResult]:
    """Take in every FITS file among files and folders (folders in depth, in order of name).

    Lights become Observations of the survey `local`, bias, dark and flat frames CalibrationFrames; the same bytes
    become one row by whatever route and however often. What is refused has a failed job with its reason.
    """
    results: list[IngestResult] = []
    files = [(path, list(_fits_files(Path(path)))) for path in paths]
    count, done = sum(len(found) for _, found in files), 0
    for path, found in files:
        if not found:
            results += _ingest_file(Path(path), overrides, config)
        for file in found:
            done += 1
            outcome = _ingest_file(file, overrides, config)
            report(f"[{done}/{count}] {printable(file.name)}: {_summary(outcome)}")
            results += outcome
    return results


def printable(name: str) -> str:
    """Return a file's name as text: bytes that are no UTF-8 and control characters become question marks."""
    text = os.fsencode(name).decode("utf-8", "replace").replace("\ufffd", "?")
    return "".join(character if character.isprintable() else "?" for character in text)


def _summary(outcome: list[IngestResult]) -> str:
    parts = []
    for result in outcome:
        state = "new" if result.is_new else "known"
        parts.append(result.error_message if result.is_refused else f"{result.entity_type} ({state})")
    return "; ".join(parts)


def _fits_files(path: Path) -> Iterator[Path]:
    """The file itself, or the FITS files below a folder, by name; hidden ones and links to folders are left out."""
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


def _ingest_file(path: Path, overrides: Overrides, config: Snapshot) -> list[IngestResult]:
    """Do one file inside its job row; a fault of the program ends this file and not the night."""
    results: list[IngestResult] = []

    def work(_: ProcessingJob) -> None:
        results.extend(_ingest_images(path, overrides, config))
        refused = [result for result in results if result.is_refused]
        if refused:
            # A mosaic of which a part cannot be used has failed in part: the row says which and how many went well.
            sentence = " ".join(_with_place(result, len(results)) for result in refused)
            sentence = f"{printable(path.name)}: {sentence}"
            raise StageFailure(FailureCode(refused[0].failure_code), sentence)

    job = _job_of(path)
    try:
        job = jobs.run_inline(job, work)
    except jobs.JobLost:
        # Another process takes in the same file at this moment; the same bytes still become one row.
        results.clear()
        return _ingest_images(path, overrides, config)
    except jobs.JobCrashed as crash:
        return [_refused(path, None, crash.job.failure_code, crash.job.error_message)]
    if job.status == JobStatus.FAILED and not any(result.is_refused for result in results):
        return [_refused(path, None, job.failure_code, job.error_message)]
    return results


def _with_place(result: IngestResult, count: int) -> str:
    return result.error_message if count == 1 else f"HDU {result.hdu_index}: {result.error_message}"


def _refused(path: Path, hdu_index: int | None, code: str, sentence: str) -> IngestResult:
    return IngestResult(path, hdu_index, failure_code=code, error_message=sentence)


def _job_of(path: Path) -> ProcessingJob:
    """The one job row of this file, waiting: a repeat takes up the row that it left."""
    name = os.fsencode(path.resolve())
    same = {"job_type": INGEST, "entity_type": "file", "entity_id": hashlib.sha256(name).hexdigest()}
    with transaction.atomic():
        _lock(_JOB_LOCK)
        last = ProcessingJob.objects.filter(**same).order_by("-created_at").first()
        if last is None or last.status == JobStatus.RUNNING:
            return jobs.enqueue(INGEST, "file", same["entity_id"])
        ended = ProcessingJob.objects.filter(pk=last.pk, status__in=_ENDED)
        ended.update(status=JobStatus.PENDING, failure_code="", error_message="", error_details={}, completed_at=None)
        last.refresh_from_db()
        return last


def _lock(number: int) -> None:
    """Hold an advisory lock to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _ingest_images(path: Path, overrides: Overrides, config: Snapshot) -> list[IngestResult]:
    try:
        found = scan_images(path, limits=_limits(config), overrides=overrides)
    except FitsRefused as refusal:
        return [_refused(path, None, refusal.code, str(refusal))]
    except (FileNotFoundError, IsADirectoryError):
        sentence = "This folder holds no FITS files." if path.is_dir() else "There is no such file."
        return [_refused(path, None, FailureCode.FILE_MISSING, sentence)]
    except PermissionError:
        return [_refused(path, None, FailureCode.FILE_MISSING, "The file may not be read: change its permissions.")]
    results = []
    for hdu_index, item in found:
        if isinstance(item, FitsRefused):
            results.append(_refused(path, hdu_index, item.code, str(item)))
        else:
            results.append(_ingest_image(path, item, config))
    return results


def _ingest_image(path: Path, image: RawImage, config: Snapshot) -> IngestResult:
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
                    _make_observation(image, stored, config)
                    if model is Observation
                    else _make_calibration(image, stored)
                )
            is_new = True
        except IntegrityError:
            # Somebody else was faster with the same bytes; any other cause shows itself here.
            known = model.objects.get(sha256=image.sha256)
    return IngestResult(
        path, image.hdu_index, known._meta.model_name or "", known.pk, is_new, warnings=tuple(image.facts.warnings)
    )


def _twin(model: type[Observation] | type[CalibrationFrame], image: RawImage) -> Any:
    """The same exposure as it was delivered before, one of the two tile-compressed; else None."""
    facts = image.facts
    alike = model.objects.filter(
        observation_time=facts.observation_time, image_width=facts.width, image_height=facts.height
    )
    for row in alike.filter(exposure_time=facts.exposure_s or 0.0):
        path = storage.resolve(row.fits_file_path)
        if path.is_file() and is_same_exposure(image, path, row.hdu_index, row.header):
            return row
    return None


def _store_raw(path: Path) -> str:
    """Keep a file as delivered under the data root, by the hash of its bytes: linked where possible, else copied."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        suffix = ".fits.gz" if file.read(2) == b"\x1f\x8b" else ".fits"
    relative = f"raw/{digest[:2]}/{digest}{suffix}"
    target = storage.resolve(relative)
    if target.is_file():
        return relative
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path.resolve(), target)
    except FileExistsError:
        return relative
    except OSError:
        # Another file system, or a file that may not be linked to.
        return storage.write_atomically(relative, path.read_bytes())
    return relative


def _known(value: T | None) -> T:
    """A fact without which reading refuses a frame."""
    if value is None:
        raise ValueError("a frame was read without a fact that its kind needs")
    return value


def _shared(image: RawImage, stored: str) -> dict[str, Any]:
    """What an Observation and a CalibrationFrame have in common."""
    facts = image.facts
    return {
        "sha256": image.sha256,
        "night": night_of(_known(facts.observation_time), facts.site_longitude_deg),
        "observation_time": _known(facts.observation_time),
        "exposure_time": facts.exposure_s or 0.0,
        "telescope": _telescope(facts),
        "camera": (facts.camera or "")[:100],
        "binning": facts.binning or "",
        "readout_mode": (facts.readout_mode or "")[:64],
        "ccd_temperature_c": facts.ccd_temperature_c,
        "filter_band": (facts.filter_band or "")[:32],
        "image_width": facts.width,
        "image_height": facts.height,
        "fits_file_path": stored,
        "hdu_index": image.hdu_index,
        "original_name": printable(image.path.name)[-255:],
        "header": image.header,
    }


def _make_calibration(image: RawImage, stored: str) -> CalibrationFrame:
    facts = image.facts
    return CalibrationFrame.objects.create(**_shared(image, stored), kind=facts.kind, gain=facts.gain_e_per_adu)


def _make_observation(image: RawImage, stored: str, config: Snapshot) -> Observation:
    """Write the row and its field, in the caller's transaction."""
    facts = image.facts
    survey, _ = Survey.objects.get_or_create(
        name=LOCAL_SURVEY, defaults={"description": "Frames from folders of this computer."}
    )
    remarks = [*facts.conflicts, *({"what": "warning", "sentence": warning} for warning in facts.warnings)]
    return Observation.objects.create(
        **_shared(image, stored),
        survey=survey,
        observation_id=_name(image),
        ra=_known(facts.ra_deg),
        dec=_known(facts.dec_deg),
        mjd_utc=_known(facts.mjd_utc),
        pixel_scale=facts.pixel_scale_arcsec,
        airmass=facts.airmass,
        seeing=facts.seeing_arcsec,
        object_name=(facts.object_name or "")[:200],
        footprint=footprint(facts),
        gain_e_per_adu=facts.gain_e_per_adu,
        read_noise_e=facts.read_noise_e,
        saturation_level=facts.saturation,
        saturation_unit=facts.saturation_unit or "",
        wcs_quality=_known(facts.wcs_quality),
        field=_field(facts, config["ingest.field_overlap_share"]),
        header_conflicts=remarks,
    )


def _name(image: RawImage) -> str:
    """File stem, short hash and, in a mosaic, the HDU: what the survey `local` calls an exposure of one detector."""
    stem = printable(image.path.name)
    for suffix in (".gz", ".fz", ".fits", ".fit", ".fts"):
        if stem.lower().endswith(suffix):
            stem = stem[: -len(suffix)]
    hdu = f"-hdu{image.hdu_index}" if image.hdu_index else ""
    return f"{stem[:150]}-{image.sha256[:8]}{hdu}"


def footprint(facts: FrameFacts) -> list[list[float]]:
    """Return the four outer corners of an image, [[ra, dec], …] in ICRS degrees, around the frame."""
    if facts.wcs is None:
        return []
    right, top = facts.width - 0.5, facts.height - 0.5
    ra, dec = facts.wcs.all_pix2world([-0.5, right, right, -0.5], [-0.5, -0.5, top, top], 0)
    return [[float(r) % 360.0, float(d)] for r, d in zip(ra, dec, strict=True)]


def _field(facts: FrameFacts, overlap_share: float) -> Field:
    """The nearest field within a share of the frame's width and of like pixel scale, else a new one."""
    ra, dec, scale = _known(facts.ra_deg), _known(facts.dec_deg), _known(facts.pixel_scale_arcsec)
    reach_arcsec = overlap_share * max(facts.width, facts.height) * scale
    here = SkyCoord(ra, dec, unit="deg")
    near = list(Field.objects.cone(ra, dec, reach_arcsec))
    near.sort(key=lambda field: float(here.separation(SkyCoord(field.ra, field.dec, unit="deg")).deg))
    for field in near:
        other = field.observations.values_list("pixel_scale", flat=True).first()
        if other is None or abs(scale / other - 1) <= _SCALE_TOLERANCE:
            return field
    radius_deg = (facts.width**2 + facts.height**2) ** 0.5 / 2 * scale / 3600
    name = facts.object_name or f"{ra:.3f} {dec:+.3f}"
    return Field.objects.create(name=name[:100], ra=ra, dec=dec, radius_deg=radius_deg)


def _telescope(facts: FrameFacts) -> Telescope | None:
    """The telescope by name and place; one name at two places is two telescopes, an unnamed one is its place."""
    latitude, longitude = facts.site_latitude_deg, facts.site_longitude_deg
    place = None if latitude is None or longitude is None else f"{latitude:+.2f} {longitude:+.2f}"
    name = (facts.telescope_name or "").strip()[:80]
    if not name and place is None:
        return None
    values = {"latitude_deg": latitude, "longitude_deg": longitude, "height_m": facts.site_height_m}
    for candidate in (name, f"{name or 'site'} {place}"):
        if not candidate:
            continue
        known, _ = Telescope.objects.get_or_create(name=candidate, defaults=values)
        if place is None or _is_at(known, facts):
            return known
    return None


def _is_at(telescope: Telescope, facts: FrameFacts) -> bool:
    if telescope.latitude_deg is None or telescope.longitude_deg is None:
        return True
    north = telescope.latitude_deg - _known(facts.site_latitude_deg)
    east = (telescope.longitude_deg - _known(facts.site_longitude_deg) + 180.0) % 360.0 - 180.0
    return max(abs(north), abs(east)) <= _SITE_TOLERANCE_DEG
