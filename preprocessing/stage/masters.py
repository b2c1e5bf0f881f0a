"""Combine the calibration frames of a night into masters, and find the masters that fit a light."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import NamedTuple

import numpy as np
from django.db.models import Q, QuerySet

from catalog.configuration.values import Snapshot, snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.work import jobs
from observations.models import CalibrationFrame, CalibrationKind, Observation
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.mapped import map_images
from observations.numerics.fits.products import encode_image
from preprocessing.models import CalibrationMaster, MasterKind
from preprocessing.numerics import VERSION
from preprocessing.numerics.calibrate import (
    CalibrationError,
    Master,
    Masters,
    calibrate,
    master_bias,
    master_dark,
    master_flat,
)
from preprocessing.numerics.clean import is_mosaic
from preprocessing.numerics.mosaic import evened
from preprocessing.numerics.outside import outside
from preprocessing.numerics.preprocess import exposure_of
from preprocessing.numerics.sky_flat import TooFewLights, sky_flat
from preprocessing.stage.raw import read_raw

# What a sky flat holds in memory at once, in pixels: sixteen frames of 1024², never fewer than three lights.
_SKY_FLAT_PIXELS, _SKY_FLAT_LIGHTS = 64 * 1024**2, (3, 16)


class Chosen(NamedTuple):
    """The masters for one light: in memory for the numerics, and as the lines that its run records.

    unfit : why masters of its camera's name were not used, in sentences.
    """

    masters: Masters
    record: list[dict[str, object]]
    unfit: tuple[str, ...] = ()


def run(night: str) -> None:
    """Make or renew the masters of a night, ISO date: bias, then dark, flat, and sky flats for lights without flat.

    A master of the same members is left as it is.
    """
    config, when = snapshot(), date.fromisoformat(night)
    for kind in (CalibrationKind.BIAS, CalibrationKind.DARK, CalibrationKind.FLAT):
        frames = CalibrationFrame.objects.filter(night=when, kind=kind).order_by("observation_time", "id")
        for _, group in groupby(sorted(frames, key=_group_key), key=_group_key):
            _combine(list(group)[: config["preprocessing.master_max_frames"]], config)
    lights = Observation.objects.with_frame().filter(night=when).order_by("mjd_utc", "observation_id")
    for _, members in groupby(sorted(lights, key=_light_key), key=_light_key):
        _sky_flat(list(members), config)


def masters_for(light: Observation, config: Snapshot) -> Chosen:
    """Find the newest fitting master of each kind within its validity, and read it; none for what was done before."""
    done = light.calibrated
    bias = (
        None
        if done
        else _nearest(_of_camera(light, MasterKind.BIAS), light, config["preprocessing.bias_validity_days"])
    )
    dark = _dark_for(light, light.delivered.exposure_s, config) if done in ([], ["bias"]) else None
    flat = None if "flat" in done else _flat_for(light, config)
    rows = [row for row in (bias, dark, flat) if row is not None]
    record = [
        {"kind": row.kind, "id": str(row.pk), "age_days": (light.night - row.night).days, "frames": row.frame_count,
         "inputs_hash": row.inputs_hash}
        for row in rows
    ]  # fmt: skip
    found = {"bias": bias, "dark": dark, "flat": flat}
    unfit = [sentence for kind, row in found.items() if row is None for sentence in _why_unfit(light, kind)]
    return Chosen(Masters(*(None if row is None else _read(row) for row in found.values())), record, tuple(unfit))


def _why_unfit(light: Observation, kind: str) -> list[str]:
    """Say what keeps the masters of a kind from a light of the same camera, each reason once."""
    if light.calibrated and (kind != "flat" or kind in light.calibrated):
        return []
    rows = CalibrationMaster.objects.filter(kind=kind, camera=light.camera)
    if kind == "flat":
        rows = rows.filter(filter_band=light.filter_band)
    reasons = [reason for row in rows if (reason := mismatch(light, row))]
    return [f"a {kind} was not used: {reason}" for reason in dict.fromkeys(reasons)]


def mismatch(light: CalibrationFrame | Observation, row: CalibrationMaster) -> str:
    """Return in words what keeps a master from a frame; "" where nothing does.

    What one of the two does not say contradicts nothing.
    """
    if (row.image_width, row.image_height) != (light.image_width, light.image_height):
        size, own_size = (f"{one.image_width} x {one.image_height}" for one in (row, light))
        return f"it has {size} pixels, the frame {own_size}"
    for name, words in _SETTING.items():
        own, of_row = getattr(light, name), getattr(row, name)
        if own and of_row and own != of_row:
            return f"its {words} is {of_row}, the frame's {own}"
    own_gain = light.gain if isinstance(light, CalibrationFrame) else light.gain_e_per_adu
    if own_gain and row.gain and abs(row.gain / own_gain - 1) > _GAIN_AGREES:
        return f"it was taken at {row.gain:g} e-/ADU, the frame at {own_gain:g}"
    is_flat = row.kind in (MasterKind.FLAT, MasterKind.SKY_FLAT)
    # A camera known by its number is the same behind any telescope; its flat is not.
    is_known = bool(light.camera_serial and row.camera_serial)
    apart = light.telescope_id and row.telescope_id and light.telescope_id != row.telescope_id
    if apart and (is_flat or not is_known):
        return f"it was taken with the telescope {row.telescope}, the frame with {light.telescope}"
    return ""


# What must be the same where both say it, in words.
_SETTING = {
    "camera_serial": "camera's number", "binning": "binning", "readout_mode": "readout mode",
    "gain_setting": "gain setting", "offset_setting": "offset setting", "window": "window", "pixel_unit": "unit",
}  # fmt: skip
# Conversion factors are written with two or three figures.
_GAIN_AGREES = 0.02


def _setting(frame: CalibrationFrame | Observation) -> tuple[object, ...]:
    """Frames of one camera that was set the same way."""
    names = ("camera", *_SETTING, "telescope_id", "image_width", "image_height", "calibrated")
    values = (getattr(frame, name) for name in names)
    return tuple(str(value or "") for value in values)


def _group_key(frame: CalibrationFrame) -> tuple[object, ...]:
    """Frames of one key make one master."""
    key = (*_setting(frame), frame.gain or 0.0)
    # Coolers wander by tenths of a degree about their set point.
    temperature = round((frame.ccd_temperature_c or 0.0) / 2.0)
    if frame.kind == CalibrationKind.DARK:
        return (*key, frame.exposure_time, temperature)
    return (*key, frame.filter_band) if frame.kind == CalibrationKind.FLAT else key


def _light_key(light: Observation) -> tuple[object, ...]:
    return (*_setting(light), light.filter_band, light.gain_e_per_adu or 0.0)


def _hash(kind: str, parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join([f"{kind} {VERSION}", *sorted(parts)]).encode()).hexdigest()


def _combine(frames: Sequence[CalibrationFrame], config: Snapshot) -> None:
    """Make the master of one group of bias, dark or flat frames, unless it is there already."""
    first = frames[0]
    bias = None if first.kind == CalibrationKind.BIAS or first.calibrated else _nearest(
        _of_camera(first, MasterKind.BIAS), first, config["preprocessing.bias_validity_days"]
    )  # fmt: skip
    is_flat = first.kind == CalibrationKind.FLAT
    dark = _dark_for(first, first.exposure_time, config) if is_flat and "dark" not in first.calibrated else None
    parents = [row.inputs_hash for row in (bias, dark) if row is not None]
    inputs_hash = _hash(first.kind, [*(frame.sha256 for frame in frames), *parents])
    if _exists(first.kind, inputs_hash):
        return
    raws = [read_raw(frame) for frame in frames]
    stack, exposures = [raw.data for raw in raws], [exposure_of(raw.facts) for raw in raws]
    bias_in_memory = None if bias is None else _read(bias)
    try:
        if first.kind == CalibrationKind.BIAS:
            master = master_bias(stack)
        elif first.kind == CalibrationKind.DARK:
            master = master_dark(stack, exposures, bias_in_memory)
            master = replace(master, contains_bias=master.contains_bias and "bias" not in first.calibrated)
        else:
            master = master_flat(stack, exposures, bias_in_memory, None if dark is None else _read(dark))
    except CalibrationError as error:
        raise StageFailure(FailureCode.BAD_VALUE, f"The {first.kind} frames of {first.night}: {error}.") from error
    _store(master, first, frames, inputs_hash)


def _sky_flat(lights: list[Observation], config: Snapshot) -> None:
    """Make a flat of the lights themselves where no flat fits them and enough of them agree."""
    first = lights[0]
    if (
        "flat" in first.calibrated
        or _flat_rows(first, MasterKind.FLAT, config["preprocessing.flat_validity_days"]) is not None
    ):
        return
    fewest, most = _SKY_FLAT_LIGHTS
    most = min(most, max(fewest, _SKY_FLAT_PIXELS // (first.delivered.width_px * first.delivered.height_px)))
    lights = lights[:: -(-len(lights) // most)]
    if len(lights) < config["preprocessing.sky_flat_min_frames"]:
        return
    bias = _nearest(_of_camera(first, MasterKind.BIAS), first, config["preprocessing.bias_validity_days"])
    darks = [_dark_for(light, light.delivered.exposure_s, config) for light in lights]
    parents = [row.inputs_hash for row in (bias, *darks) if row is not None]
    inputs_hash = _hash(MasterKind.SKY_FLAT, [*(light.delivered.sha256 for light in lights), *parents])
    if _exists(MasterKind.SKY_FLAT, inputs_hash):
        return
    bias_in_memory = None if bias is None else _read(bias)
    images, masks = [], []
    for light, dark in zip(lights, darks, strict=True):
        raw = read_raw(light)
        masters = Masters(bias_in_memory, None if dark is None else _read(dark))
        image = calibrate(raw.data, masters=masters, exposure=exposure_of(raw.facts)).data
        # Stars and defects are masked by the flat itself.
        masks.append(np.isnan(image) | outside(raw.data))
        # The sky's colour is none of the detector's response.
        images.append(evened(image, masks[-1]) if is_mosaic(raw.facts) else image)
    try:
        master = sky_flat(images, masks)
    except TooFewLights:
        # Not a failure: the lights are used without a flat, and their runs say so.
        return
    _store(master, first, lights, inputs_hash)


def _store(
    master: Master,
    first: CalibrationFrame | Observation,
    members: Sequence[CalibrationFrame] | Sequence[Observation],
    inputs_hash: str,
) -> None:
    path = storage.write_atomically(
        f"masters/{master.kind}-{inputs_hash[:16]}.fits",
        encode_image(
            master.data,
            cards=[("HASBIAS", master.contains_bias, "the dark holds the bias")],
            extra=[] if master.error is None else [("ERROR", master.error)],
        ),
    )
    with jobs.writing():
        row, is_new = CalibrationMaster.objects.get_or_create(
            kind=master.kind,
            inputs_hash=inputs_hash,
            defaults={
                "telescope": first.telescope,
                "camera": first.camera,
                "binning": first.binning,
                "gain": first.gain if isinstance(first, CalibrationFrame) else first.gain_e_per_adu,
                "readout_mode": first.readout_mode,
                **{name: getattr(first, name) for name in _SETTING if name not in ("binning", "readout_mode")},
                "ccd_temperature_c": master.ccd_temperature_c,
                "filter_band": first.filter_band if master.kind in (MasterKind.FLAT, MasterKind.SKY_FLAT) else "",
                "exposure_time": master.exposure_s,
                "image_width": first.image_width,
                "image_height": first.image_height,
                "file_path": path,
                "night": max(member.night for member in members),
                "frame_count": master.frame_count,
                "level": master.level,
                "noise": master.noise,
            },
        )
        if is_new:
            row.members.set([member for member in members if isinstance(member, CalibrationFrame)])
            row.light_members.set([member for member in members if isinstance(member, Observation)])


def _exists(kind: str, inputs_hash: str) -> bool:
    row = CalibrationMaster.objects.filter(kind=kind, inputs_hash=inputs_hash).first()
    if row is None:
        return False
    if storage.exists(row.file_path):
        return True
    row.delete()
    return False


def _of_camera(light: CalibrationFrame | Observation, kind: str) -> QuerySet[CalibrationMaster]:
    """Return the masters that nothing keeps from a frame."""
    rows = CalibrationMaster.objects.filter(
        kind=kind, camera=light.camera, image_width=light.image_width, image_height=light.image_height
    )
    return rows.filter(pk__in=[row.pk for row in rows if not mismatch(light, row)])


def _nearest(
    rows: QuerySet[CalibrationMaster], light: CalibrationFrame | Observation, validity_days: int
) -> CalibrationMaster | None:
    """Return the master nearest in time within its validity, of two equally near the newer."""
    valid = [row for row in rows if abs((light.night - row.night).days) <= validity_days]
    return min(valid, key=lambda r: (abs((light.night - r.night).days), -r.created_at.timestamp()), default=None)


def _dark_for(light: CalibrationFrame | Observation, exposure_s: float, config: Snapshot) -> CalibrationMaster | None:
    """Return a dark of the temperature: of the light's exposure where there is one, else the longest, to be scaled."""
    rows = _of_camera(light, MasterKind.DARK)
    if light.ccd_temperature_c is not None:
        reach = config["preprocessing.dark_temperature_tolerance_c"]
        near = (light.ccd_temperature_c - reach, light.ccd_temperature_c + reach)
        rows = rows.filter(Q(ccd_temperature_c__isnull=True) | Q(ccd_temperature_c__range=near))
    validity = config["preprocessing.dark_validity_days"]
    same = _nearest(rows.filter(exposure_time=exposure_s), light, validity)
    if same is not None:
        return same
    longest = rows.order_by("-exposure_time").first()
    return None if longest is None else _nearest(rows.filter(exposure_time=longest.exposure_time), light, validity)


def _flat_for(light: Observation, config: Snapshot) -> CalibrationMaster | None:
    flat = _flat_rows(light, MasterKind.FLAT, config["preprocessing.flat_validity_days"])
    return flat or _flat_rows(light, MasterKind.SKY_FLAT, config["preprocessing.sky_flat_validity_days"])


def _flat_rows(light: Observation, kind: str, validity_days: int) -> CalibrationMaster | None:
    return _nearest(_of_camera(light, kind).filter(filter_band=light.filter_band), light, validity_days)


def _read(row: CalibrationMaster) -> Master:
    try:
        stored = map_images(storage.open_stored(row.file_path))
        data = stored.image()
        unsure = stored.image("ERROR") if "ERROR" in stored.images else None
    except (FileNotFoundError, FitsRefused) as error:
        raise StageFailure(
            FailureCode.FILE_MISSING, f"The file of the master {row} cannot be read ({error}): process the night again."
        ) from error
    return Master(
        data,
        row.kind,
        row.frame_count,
        row.exposure_time,
        row.ccd_temperature_c,
        contains_bias=bool(stored.cards.get("HASBIAS")),
        error=unsure,
    )
