"""Rows of what was delivered, made from frames that were read: observation, field, telescope, calibration frame."""

from __future__ import annotations

import os
from typing import TypeVar

from catalog.configuration.values import Snapshot
from catalog.hiding import hidden_from
from catalog.models import Visitor
from observations.claims.doubts import store_doubts
from observations.claims.reading import READING_VERSION, facts_as_json, packed
from observations.models import (
    LOCAL_SURVEY,
    CalibrationFrame,
    DoubtOrigin,
    Field,
    InstrumentProfile,
    Observation,
    Survey,
    Telescope,
)
from observations.numerics.fits.images import FrameFacts, Overrides, RawImage
from observations.numerics.scales import are_alike
from observations.numerics.site import night_of
from observations.numerics.sphere import separation_deg

# Two sites of one telescope name: 0.1 degree is 11 km, more than any header rounds.
_SITE_TOLERANCE_DEG = 0.1

T = TypeVar("T")


def printable(name: str) -> str:
    """Return a file's name as text: bytes that are no UTF-8 and control characters become question marks."""
    text = os.fsencode(name).decode("utf-8", "replace").replace("\ufffd", "?")
    return "".join(character if character.isprintable() else "?" for character in text)


def known(value: T | None) -> T:
    """Return a fact without which reading refuses a frame."""
    if value is None:
        raise ValueError("a frame was read without a fact that its kind needs")
    return value


def _setting(facts: FrameFacts) -> dict[str, object]:
    """Which camera took an image, and how it was set."""
    return {
        "camera": (facts.camera or "")[:100],
        "camera_serial": (facts.camera_serial or "")[:64],
        "binning": facts.binning or "",
        "readout_mode": (facts.readout_mode or "")[:64],
        "gain_setting": (facts.gain_setting or "")[:32],
        "offset_setting": (facts.offset_setting or "")[:32],
        "window": (facts.window or "")[:32],
        "pixel_unit": facts.pixel_unit or "",
        "calibrated": list(facts.calibrated),
        "ccd_temperature_c": facts.ccd_temperature_c,
    }


def _read_from(facts: FrameFacts) -> dict[str, object]:
    """What an Observation and a CalibrationFrame have in common of a header."""
    return {
        **_setting(facts),
        "night": night_of(known(facts.observation_time), facts.site_longitude_deg),
        "observation_time": known(facts.observation_time),
        "exposure_time": facts.exposure_s or 0.0,
        "telescope": _telescope(facts),
        "filter_band": (facts.filter_band or "")[:32],
    }


def _delivered(image: RawImage, stored: str, given: Overrides) -> dict[str, object]:
    """What they have in common of the file itself."""
    return {
        "sha256": image.sha256,
        "image_width": image.facts.width,
        "image_height": image.facts.height,
        "fits_file_path": stored,
        "hdu_index": image.hdu_index,
        "original_name": printable(image.path.name)[-255:],
        "header": image.header,
        "given": packed(given),
    }


def make_calibration(image: RawImage, stored: str, given: Overrides) -> CalibrationFrame:
    """Write the row of a bias, dark or flat frame."""
    facts = image.facts
    return CalibrationFrame.objects.create(
        **_delivered(image, stored, given), **_read_from(facts), kind=facts.kind, gain=facts.gain_e_per_adu
    )


def facts_of_row(image: RawImage) -> dict[str, object]:
    """Return what a light's header says, as its row holds it."""
    facts = image.facts
    return {
        **_read_from(facts),
        "ra": known(facts.ra_deg),
        "dec": known(facts.dec_deg),
        "mjd_utc": known(facts.mjd_utc),
        "pixel_scale": facts.pixel_scale_arcsec,
        "airmass": facts.airmass,
        "seeing": facts.seeing_arcsec,
        "object_name": (facts.object_name or "")[:200],
        "footprint": footprint(facts),
        "gain_e_per_adu": facts.gain_e_per_adu,
        "read_noise_e": facts.read_noise_e,
        "saturation_level": facts.saturation,
        "saturation_unit": facts.saturation_unit or "",
        "wcs_quality": known(facts.wcs_quality),
        "delivered_wcs_quality": known(facts.wcs_quality),
        "bayer_pattern": facts.bayer_pattern or "",
        "facts": facts_as_json(facts),
        "profile": InstrumentProfile.objects.filter(name=facts.profile).first() if facts.profile else None,
        "read_by_version": READING_VERSION,
    }


def make_observation(
    image: RawImage, stored: str, given: Overrides, config: Snapshot, survey: Survey | None = None
) -> Observation:
    """Write the row, its doubts and its field, in the caller's transaction; without a survey it belongs to `local`."""
    local = {"description": "Frames from folders of this computer."}
    row = Observation.objects.create(
        **_delivered(image, stored, given),
        **facts_of_row(image),
        survey=survey or Survey.objects.get_or_create(name=LOCAL_SURVEY, defaults=local)[0],
        observation_id=_name(image),
        field=_field(image.facts, config["ingest.field_overlap_share"]),
    )
    store_doubts(row, DoubtOrigin.HEADER, image.facts.doubts)
    return row


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
    """The nearest field within a share of the frame's width, one with frames of like scale first; else a new one.

    Where the scales differ both frames show the other's middle: a wide frame is not of the field of every small one in
    it.
    """
    ra, dec, scale = known(facts.ra_deg), known(facts.dec_deg), known(facts.pixel_scale_arcsec)
    reach_arcsec = overlap_share * max(facts.width, facts.height) * scale
    near = []
    for field in Field.objects.cone(ra, dec, reach_arcsec):
        apart_deg = float(separation_deg(field.ra, field.dec, ra, dec))
        scales = field.observations.values_list("pixel_scale", flat=True).distinct()
        is_like = not scales or any(are_alike(scale, other) for other in scales)
        # A square's side is its half diagonal times the root of two.
        if is_like or apart_deg <= overlap_share * field.radius_deg * 2**0.5:
            near.append((not is_like, apart_deg, str(field.pk), field))
    if near:
        return min(near)[-1]
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
    north = telescope.latitude_deg - known(facts.site_latitude_deg)
    east = (telescope.longitude_deg - known(facts.site_longitude_deg) + 180.0) % 360.0 - 180.0
    return max(abs(north), abs(east)) <= _SITE_TOLERANCE_DEG


def is_local_hidden(user: Visitor) -> bool:
    """Tell whether frames for no other survey would go where this person may not see them."""
    hidden = hidden_from(user)
    return bool(hidden) and Survey.objects.filter(name=LOCAL_SURVEY, pk__in=hidden).exists()
