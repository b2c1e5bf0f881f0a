"""Read a stored frame's header again: by the profiles of today, and by what the program has learnt since."""

from __future__ import annotations

from uuid import UUID

from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.people import audit
from catalog.work import jobs
from observations.claims.doubts import store_doubts
from observations.claims.reading import reading_with, unpacked
from observations.delivery.rows import facts_of_row
from observations.models import DoubtOrigin, Observation, ObservationStatus, WcsQuality
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.images import RawImage, read_images

# What decides about pixels and what is made of them: where one of these changes, the frame goes through again.
_DECIDES = (
    "observation_time", "mjd_utc", "exposure_time", "filter_band", "gain_e_per_adu", "read_noise_e",
    "saturation_level", "saturation_unit", "pixel_unit", "calibrated", "bayer_pattern", "camera", "camera_serial",
    "binning", "readout_mode", "gain_setting", "offset_setting", "window", "ccd_temperature_c", "profile_id",
)  # fmt: skip
# What a plate solution knows better than any header.
_OF_THE_SKY = ("ra", "dec", "pixel_scale", "wcs_quality", "footprint")


def run(observation_id: UUID | str) -> None:
    """Put down what the header says now, and its doubts; a frame of other facts waits for its way through the stages.

    Raises StageFailure where the raw file is gone, or is refused as it is read now.
    """
    row = Observation.objects.select_related("profile").get(pk=observation_id)
    image = _read(row)
    values = facts_of_row(image)
    if row.wcs_quality == WcsQuality.SOLVED or image.facts.wcs_quality is None:
        values = {name: value for name, value in values.items() if name not in _OF_THE_SKY}
    before = {name: getattr(row, name) for name in _DECIDES}
    for name, value in values.items():
        setattr(row, name, value)
    changed = {name: before[name] for name in _DECIDES if before[name] != getattr(row, name)}
    with jobs.writing(last=True):
        store_doubts(row, DoubtOrigin.HEADER, image.facts.doubts)
        if changed and row.status != ObservationStatus.ARCHIVED:
            row.status, row.failure_code, row.error_message = ObservationStatus.INGESTED, "", ""
        row.save()
        if changed:
            now = {name: getattr(row, name) for name in changed}
            audit.record(row, "read_header_again", old=_plain(changed), new=_plain(now), summary=str(row))


def _read(row: Observation) -> RawImage:
    reading = reading_with(unpacked(row.given))
    try:
        path = storage.open_stored(row.fits_file_path)
        found = [image for image in read_images(path, reading=reading) if image.hdu_index == row.hdu_index]
    except FileNotFoundError as error:
        raise StageFailure(
            FailureCode.FILE_MISSING, f"The raw file of {row.shown_name} is gone: deliver it again."
        ) from error
    except FitsRefused as refusal:
        raise StageFailure(FailureCode(refusal.code), f"{row.shown_name} as it is read now: {refusal}") from refusal
    if not found:
        raise StageFailure(FailureCode.NO_IMAGE, f"{row.shown_name} is no light frame as it is read now.")
    return found[0]


def _plain(values: dict[str, object]) -> dict[str, object]:
    return {name: value if isinstance(value, (int, float, list)) else str(value) for name, value in values.items()}
