"""Make a reference of an image that somebody gives: a survey's, from before the first night."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from astropy.wcs import WCS
from django.db import transaction
from django.db.models import Max
from numpy.typing import NDArray
from scipy import ndimage

from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.people.audit import Actor
from differencing.models import Reference, ReferenceOrigin
from differencing.numerics import VERSION
from differencing.numerics.align import align, fill_masked
from differencing.numerics.spline import PixelMap
from differencing.references import promote_reference
from differencing.stage.stacking import depth_of, measured
from observations.models import Field, Observation
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.products import encode_frame
from observations.numerics.fits.survey import SurveyImage, read_survey_image
from observations.numerics.fits.wcs import nominal_wcs, pixel_scale_arcsec
from observations.numerics.frame import Frame, Image, Mask
from observations.numerics.statistics import FWHM_PER_SIGMA
from preprocessing.numerics.background import NoBackgroundError, estimate_background
from preprocessing.numerics.stars import find_stars
from preprocessing.products import stars_of

# Below this width on the frames' pixels a star's flux depends on where in its pixel it lies: splines keep one of 2.5 px
# to 0.1 %, of 2 px to 0.3 %.
SHARPEST_PX = 2.5
# How much more of the sky is kept than a frame shows: dithers and rotation.
MARGIN = 1.3


@dataclass(frozen=True)
class Serves:
    """What an image is given for: frames of one field in one band."""

    field: Field
    filter_band: str

    def frames(self) -> list[Observation]:
        frames = Observation.objects.live().filter(field=self.field, filter_band=self.filter_band)
        return list(frames.order_by("mjd_utc", "sha256"))


def give_reference(path: Path, serves: Serves, actor: Actor, *, is_promoted: bool = False) -> Reference:
    """Keep an image as a reference, brought to the pixel scale of a field's frames, with its PSF and stars.

    The first reference of a field and band is promoted as it is made, another where that is asked for. The same file
    gives the same row again.

    Raises StageFailure with what is wrong with the file, or where the field has no frames in this band.
    """
    frames = serves.frames()
    if not frames:
        raise StageFailure(
            FailureCode.NO_BAND,
            f"{serves.field} has no frames in {serves.filter_band or 'this band'}: ingest them first.",
        )
    try:
        image = read_survey_image(path, band=serves.filter_band)
    except FitsRefused as refusal:
        raise StageFailure(FailureCode(refusal.code), str(refusal)) from refusal
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    inputs_hash = hashlib.sha256(f"given {digest} {_grid(frames, serves.field)[1:]} {VERSION}".encode()).hexdigest()
    same = {"field": serves.field, "filter_band": serves.filter_band}
    row = Reference.objects.filter(**same, inputs_hash=inputs_hash).first()
    if row is None:
        frame, sigma = _on_scale_of(image, frames, serves)
        storage.keep(f"references/given/{digest}.fits", path)
        stored = storage.write_atomically(f"references/{serves.field.pk}/{inputs_hash[:16]}.fits", encode_frame(frame))
        described = {
            "file_path": stored, "frame_count": 0, "first_mjd_utc": image.mjd_utc, "last_mjd_utc": image.mjd_utc,
            "fwhm_px": stars_of(frame).fwhm_px, "depth_mag": depth_of(frame, sigma), "original_name": path.name[-255:],
            "survey_name": image.survey[:100], "delivered_band": (image.band or "")[:32],
        }  # fmt: skip
        row = _store(same, inputs_hash, described)
    if not row.is_active and (is_promoted or not Reference.objects.filter(**same, is_active=True).exists()):
        row = promote_reference(row, actor)
    return row


@transaction.atomic
def _store(same: dict[str, object], inputs_hash: str, described: dict[str, object]) -> Reference:
    field = same["field"]
    if isinstance(field, Field):
        Field.objects.select_for_update().get(pk=field.pk)
    version = Reference.objects.filter(**same).aggregate(Max("version"))["version__max"] or 0
    defaults = {**described, "version": version + 1, "origin": ReferenceOrigin.GIVEN}
    return Reference.objects.get_or_create(**same, inputs_hash=inputs_hash, defaults=defaults)[0]


def _grid(frames: list[Observation], field: Field) -> tuple[WCS, tuple[int, int], float]:
    """Return a grid north up about the field's centre, in the pixel scale of its frames and wider than they are."""
    scales = [frame.pixel_scale for frame in frames if frame.pixel_scale]
    if not scales:
        raise StageFailure(FailureCode.NO_WCS, f"The pixel scale of the frames of {field} is not known.")
    scale = float(np.median(scales))
    side = int(MARGIN * max(np.hypot(*frame.delivered.shape) for frame in frames) / np.sqrt(2.0))
    return nominal_wcs(field.ra, field.dec, scale, (side, side)), (side, side), scale


def _on_scale_of(image: SurveyImage, frames: list[Observation], serves: Serves) -> tuple[Frame, float]:
    """Return the image resampled by its WCS and measured, and the noise of its sky as a point source sees it."""
    wcs, shape, scale = _grid(frames, serves.field)
    mask = ~np.isfinite(image.data)
    ratio = scale / pixel_scale_arcsec(image.wcs)
    try:
        data = _smoothed(np.nan_to_num(image.data), mask, ratio)
        own = Frame(data, mask)
        frame = align(own, _map(wcs, image.wcs), shape)
        sky = estimate_background(frame.data, frame.mask)
    except (NoBackgroundError, ValueError) as error:
        raise StageFailure(
            FailureCode.NO_OVERLAP, f"The image does not show {serves.field}: its position lies outside of it."
        ) from error
    noise = sky.noise
    # Counts of the image stay counts: what a star has is spread over fewer pixels.
    frame = replace(
        frame,
        wcs=wcs,
        variance=noise**2,
        zero_point_mag=image.zero_point_mag,
        band=serves.filter_band,
        pixel_scale_arcsec=scale,
        mjd_utc=image.mjd_utc,
    )
    frame = measured(frame, sky.level, noise)
    return frame, sky.median_noise


def _smoothed(data: Image, mask: Mask, ratio: float) -> Image:
    """Return the image with stars wide enough for pixels that are `ratio` times as large."""
    sky = estimate_background(data, mask)
    stars = find_stars(data, mask, background=sky.level, noise=sky.noise)
    wanted, width = SHARPEST_PX * ratio, stars.fwhm_px
    if not np.isfinite(width) or width >= wanted:
        return data
    sigma = float(np.sqrt(wanted**2 - width**2)) / FWHM_PER_SIGMA
    return np.asarray(ndimage.gaussian_filter(fill_masked(data, mask), sigma), dtype=np.float32)


def _map(target: WCS, source: WCS) -> PixelMap:
    def to_source(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        ra, dec = target.all_pix2world(x, y, 0)
        found = source.all_world2pix(ra, dec, 0, quiet=True)
        return found[0], found[1]

    return to_source
