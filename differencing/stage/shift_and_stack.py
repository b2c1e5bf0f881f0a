"""Find what moves in a field's night and no single frame shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray
from scipy import ndimage

from catalog.configuration.values import Snapshot, snapshot
from catalog.files import storage
from catalog.work import jobs
from differencing.ids import field_and_night
from differencing.models import DifferenceRun, Tracklet, TrackletKind
from differencing.numerics.align import resample
from differencing.numerics.shifted import Motion, Night, ShiftParameters, find_motions
from observations.models import Field, Observation, ObservationStatus, WcsQuality
from observations.numerics.fits.mapped import Mapped, map_images
from observations.numerics.fits.wcs import pixel_scale_arcsec
from observations.numerics.frame import Image
from preprocessing.models import PreprocessRun

# Fewer add up to less than half a magnitude beyond the threshold that so many trials need.
_FEWEST_FRAMES = 6
# The world coordinates of every so many pixels are computed, and those between them interpolated.
_WCS_STEP_PX = 64


# Frames of another scale have another PSF in pixels: they do not add up.
_SCALE_TOLERANCE = 0.1
# What is around a known moving object, in FWHM, is left out.
_KNOWN_FWHM = 3.0


@dataclass(frozen=True)
class _Layer:
    """One frame of the night: its rows, its score on disk, how much it tells, and where known objects move in it."""

    run: DifferenceRun
    score: Mapped
    wcs: WCS
    weight: float
    fwhm_px: float
    known: NDArray[np.float64]

    @property
    def observation(self) -> Observation:
        return self.run.observation


def run(key: str) -> None:
    """Find what "<field id>/<date>" shows only when its frames are shifted and added; a repeat replaces what it found.

    Off unless the configuration says otherwise. What is a moving object already is left out.
    """
    field_id, night = field_and_night(key)
    config = snapshot()
    field = Field.objects.get(pk=field_id)
    layers = _layers(field, night) if config["differencing.shift_and_stack"] else []
    found = _found(layers, config) if len(layers) >= _FEWEST_FRAMES else []
    rows = [_tracklet(field, night, layers, motion) for motion in found]
    with jobs.writing(last=True):
        Field.objects.select_for_update().get(pk=field_id)
        Tracklet.objects.filter(field=field, night=night, kind=TrackletKind.STACKED).delete()
        Tracklet.objects.bulk_create(rows)


def _layers(field: Field, night: date) -> list[_Layer]:
    """Return the night's differenced frames by time, those that can be added to the middle one."""
    frames = Observation.objects.filter(field=field, night=night, status=ObservationStatus.DIFFERENCED)
    runs = [DifferenceRun.objects.newest_for(row) for row in frames.order_by("mjd_utc", "observation_id")]
    layers = [layer for run in runs if run is not None and (layer := _layer(run)) is not None]
    if not layers:
        return []
    scale = pixel_scale_arcsec(layers[len(layers) // 2].wcs)
    return [each for each in layers if abs(pixel_scale_arcsec(each.wcs) / scale - 1.0) < _SCALE_TOLERANCE]


def _layer(run: DifferenceRun) -> _Layer | None:
    """Return a run's layer; None where its score or what it is worth is not known."""
    science = PreprocessRun.objects.newest_for(run.observation)
    if science is None or not science.fwhm_px or not run.noise_level or not storage.exists(run.significance_map_path):
        return None
    score = map_images(storage.open_stored(run.significance_map_path))
    wcs = score.wcs()
    if wcs is None:
        return None
    known = run.candidates.filter(tracklets__in=Tracklet.objects.moving()).values_list("pixel_x", "pixel_y")
    # The error of a PSF flux is that of a pixel times the PSF's width; the reference's counts are the common unit.
    scale = run.parameters.get("diagnostics", {}).get("flux_scale_median", 1.0)
    weight = scale / (run.noise_level * science.fwhm_px)
    return _Layer(run, score, wcs, weight, science.fwhm_px, np.array(list(known), dtype=float).reshape(-1, 2))


def _found(layers: list[_Layer], config: Snapshot) -> list[Motion]:
    anchor = layers[len(layers) // 2]
    shape = anchor.score.images["SCI"].shape

    def rows(k: int, low: int, high: int) -> Image:
        return _rows(layers[k], anchor.wcs, (low, high, shape[1]))

    minutes = np.array([layer.observation.mjd_utc for layer in layers]) * 1440.0
    weight, fwhm = (np.array([getattr(layer, name) for layer in layers]) for name in ("weight", "fwhm_px"))
    scale = pixel_scale_arcsec(anchor.wcs)
    parameters = ShiftParameters(
        slowest=config["differencing.tracklet_min_rate_arcsec_per_min"] / scale,
        fastest=config["differencing.shift_and_stack_max_rate_arcsec_per_min"] / scale,
        max_false=config["differencing.tracklet_max_chance_rate"],
    )
    night = Night(rows, (shape[0], shape[1]), minutes - minutes[0], weight / weight.max(), float(np.median(fwhm)))
    return find_motions(night, parameters)


def _rows(layer: _Layer, grid: WCS, where: tuple[int, int, int]) -> Image:
    """Bring rows of the common grid from a layer's score; NaN where it shows nothing or something known moves."""
    low, high, width = where
    x, y = _mapped(grid, layer.wcs, where)
    score = layer.score.images["SCI"]
    top, bottom = max(0, int(y.min()) - 4), min(score.shape[0], int(y.max()) + 5)
    if top >= bottom:
        return np.full((high - low, width), np.nan, dtype=np.float32)
    image = np.array(score[top:bottom], dtype=np.float32)
    for place in layer.known:
        v, u = np.ogrid[top:bottom, : image.shape[1]]
        image[(u - place[0]) ** 2 + (v - place[1]) ** 2 < (_KNOWN_FWHM * layer.fwhm_px) ** 2] = np.nan
    is_known = np.isfinite(image)
    moved = resample(np.where(is_known, image, np.float32(0.0)), (x, y - top), order=3)
    share = resample(is_known.astype(np.float32), (x, y - top), order=1)
    return np.where(share > 0.95, moved, np.float32(np.nan))


def _mapped(grid: WCS, wcs: WCS, where: tuple[int, int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where pixels of the common grid lie in a layer, computed for some and interpolated between them."""
    low, high, width = where
    v, u = np.mgrid[low : high + _WCS_STEP_PX : _WCS_STEP_PX, 0 : width + _WCS_STEP_PX : _WCS_STEP_PX]
    coarse = wcs.all_world2pix(*grid.all_pix2world(u.ravel(), v.ravel(), 0), 0, quiet=True)
    at = np.mgrid[0 : high - low, 0:width] / _WCS_STEP_PX
    x, y = (ndimage.map_coordinates(each.reshape(u.shape), at, order=1) for each in coarse)
    return x, y


def _tracklet(field: Field, night: date, layers: list[_Layer], motion: Motion) -> Tracklet:
    """Return what was found as a row that is not saved, with its place in every frame."""
    minutes = np.array([layer.observation.mjd_utc for layer in layers]) * 1440.0
    weight = np.array([layer.weight for layer in layers])
    dt = minutes - np.average(minutes, weights=weight**2)
    anchor = layers[len(layers) // 2]
    ra, dec = anchor.wcs.all_pix2world(*np.transpose([motion.at(float(each)) for each in dt]), 0)
    positions = []
    for layer, score, a, d in zip(layers, motion.scores, ra, dec, strict=True):
        x, y = (float(v) for v in layer.wcs.all_world2pix(a, d, 0, quiet=True))
        frame = layer.observation
        if 0.0 <= x < (frame.image_width or 0) and 0.0 <= y < (frame.image_height or 0):
            place = {"ra": float(a) % 360.0, "dec": float(d), "pixel_x": x, "pixel_y": y}
            name = {"file": frame.original_name, "mjd_utc": frame.mjd_utc}
            positions.append({**name, **place, "score": score})
    east = 3600.0 * ((ra[-1] - ra[0] + 180.0) % 360.0 - 180.0) * np.cos(np.radians(dec[0]))
    north = 3600.0 * (dec[-1] - dec[0])
    is_nominal = any(layer.observation.wcs_quality == WcsQuality.NOMINAL for layer in layers)
    return Tracklet(
        field=field,
        night=night,
        kind=TrackletKind.STACKED,
        rate_arcsec_per_min=float(np.hypot(east, north) / (minutes[-1] - minutes[0])),
        position_angle=None if is_nominal else float(np.degrees(np.arctan2(east, north)) % 360.0),
        stack_score=motion.score,
        chance_rate=motion.chance_rate,
        positions=positions,
    )
