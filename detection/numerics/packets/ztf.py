"""Alerts of the Zwicky Transient Facility, also as its brokers keep them.

Read by the documentation of its schema (versions 3.0 to 4.02) and by real packets: see docs/imported.md for what was
measured of them.
"""

from __future__ import annotations

import math

from detection.numerics.packets.packet import (
    DIFFERENCE,
    REFERENCE,
    SCIENCE,
    Exposure,
    Measured,
    Packet,
    PacketRefused,
    Record,
    TheirScore,
    entries,
    framed,
    needed,
    number,
    part_of,
    place_of,
    positive,
    stacked,
    stamp_of,
    text,
    whole,
)
from detection.numerics.stamps import STAMP_SIZE_PX, Stamps

SURVEY = "ZTF"
_BANDS = {1: "g", 2: "r", 3: "i"}
_POSITIVE, _NEGATIVE = frozenset({"t", "1"}), frozenset({"f", "0"})
_MJD_IN_JD = 2_400_000.5
_SECONDS_A_DAY = 86_400.0
# An error of this share of the flux is one of so many magnitudes: 2.5 / ln 10.
_MAG_PER_SHARE = 2.5 / math.log(10.0)
# The number of bad pixels is that in a box of 5 x 5 about the candidate.
_BOX_PX = 25
# Nothing that light makes in a frame of ZTF is narrower or wider, in pixels.
_LEAST_FWHM_PX, _MOST_FWHM_PX = 0.5, 20.0
# Stars in the cutouts are so much narrower than the packets say: median of 154 packets, by `stamp_width`.
_STAR = 0.88
# Farther from the candidate than this, in arcseconds, a known body is another one.
_BODY_ARCSEC = 5.0


def read_ztf(record: Record) -> Packet:
    """Return what a packet tells. Raises PacketRefused where it lacks what no row can do without.

    The difference in a packet of what faded (`isdiffpos` f) is reference minus science: its sign is turned.
    """
    candidate = part_of(record, "candidate")
    key = whole(candidate, "candid")
    if key is None:
        raise PacketRefused("it does not give `candid`")
    name = text(record, "objectId")
    if not name:
        raise PacketRefused("it does not give `objectId`")
    is_negative = _is_negative(candidate)
    history = entries(record, "prv_candidates")
    detections = sum(whole(entry, "candid") is not None for entry in history)
    return Packet(
        survey=SURVEY,
        key=str(key),
        object_name=name,
        exposure=_exposure(candidate),
        measured=_measured(candidate, is_negative),
        scores=_scores(candidate),
        stamps=_stamps(record, candidate, is_negative),
        flux_unit="DN",
        is_turned=is_negative,
        known_body=_known_body(candidate),
        earlier_detections=detections,
        earlier_undetected=len(history) - detections,
        schema=text(record, "schemavsn"),
        publisher=text(record, "publisher"),
    )


def _is_negative(candidate: Record) -> bool:
    given = text(candidate, "isdiffpos").lower()
    if given not in _POSITIVE | _NEGATIVE:
        raise PacketRefused(f"`isdiffpos` is {given!r}, neither t nor f")
    return given in _NEGATIVE


def _exposure(candidate: Record) -> Exposure:
    pid, band = whole(candidate, "pid"), _BANDS.get(whole(candidate, "fid") or 0)
    if pid is None:
        raise PacketRefused("it does not give `pid`, its exposure")
    if band is None:
        raise PacketRefused(f"`fid` is {candidate.get('fid')!r}, none of ZTF's filters")
    start = needed(candidate, "jd") - _MJD_IN_JD
    exposure_s = positive(candidate, "exptime")
    notes = {} if exposure_s else {"exposure": "The packet does not tell it: the middle is taken to be the start."}
    zero_point = positive(candidate, "magzpsci")
    return Exposure(
        name=str(pid),
        mjd_utc=start + (exposure_s or 0.0) / 2.0 / _SECONDS_A_DAY,
        start_mjd_utc=start,
        band=band,
        exposure_s=exposure_s,
        zero_point_mag=zero_point,
        zero_point_error=positive(candidate, "magzpsciunc") if zero_point else None,
        limiting_mag=positive(candidate, "diffmaglim"),
        fwhm_px=_star_fwhm_px(candidate),
        notes=notes,
    )


def _star_fwhm_px(candidate: Record) -> float | None:
    """Return the FWHM of a star: `seeratio` is that of the exposure's difference over the candidate's own `fwhm`.

    Their product is the same in all packets of an exposure, to all digits that are written.
    """
    own, ratio = positive(candidate, "fwhm"), positive(candidate, "seeratio")
    if own is None or ratio is None:
        return None
    return _STAR * own * ratio if _LEAST_FWHM_PX < own * ratio < _MOST_FWHM_PX else None


def _measured(candidate: Record, is_negative: bool) -> Measured:
    ra, dec = place_of(candidate)
    sign = -1.0 if is_negative else 1.0
    mag, mag_error = positive(candidate, "magpsf"), positive(candidate, "sigmapsf")
    zero_point, scorr = positive(candidate, "magzpsci"), positive(candidate, "scorr")
    flux = 10.0 ** (0.4 * (zero_point - mag)) if zero_point and mag else None
    elongation, bad = positive(candidate, "elong"), whole(candidate, "nbad")
    # Positions count from 1: stamps that the frame's edge has cut show it.
    return Measured(
        ra=ra,
        dec=dec,
        pixel_x=needed(candidate, "xpos") - 1.0,
        pixel_y=needed(candidate, "ypos") - 1.0,
        is_negative=is_negative,
        flux=None if flux is None else sign * flux,
        flux_error=flux * mag_error / _MAG_PER_SHARE if flux and mag_error else None,
        significance=None if scorr is None else sign * scorr,
        snr=None if mag_error is None else sign * _MAG_PER_SHARE / mag_error,
        mag=mag,
        mag_error=mag_error,
        fwhm_px=positive(candidate, "fwhm"),
        ellipticity=1.0 - 1.0 / elongation if elongation is not None and elongation >= 1.0 else None,
        masked_share=min(bad / _BOX_PX, 1.0) if bad is not None and bad >= 0 else None,
    )


def _scores(candidate: Record) -> tuple[TheirScore, ...]:
    """Return the deep score and the older one; a score without a version was filled in where there was none."""
    found = []
    for name in ("drb", "rb"):
        value, version = number(candidate, name), text(candidate, f"{name}version")
        if value is not None and 0.0 <= value <= 1.0 and (version or name == "rb"):
            found.append(TheirScore(name, value, version))
    return tuple(found)


def _known_body(candidate: Record) -> str:
    name, distance = text(candidate, "ssnamenr"), number(candidate, "ssdistnr")
    if name in ("", "null") or distance is None or not 0.0 <= distance <= _BODY_ARCSEC:
        return ""
    return name


def _stamps(record: Record, candidate: Record, is_negative: bool) -> Stamps:
    images = [stamp_of(record, name).image for name in (SCIENCE, REFERENCE, DIFFERENCE)]
    if len({image.shape for image in images}) != 1:
        raise PacketRefused("its three cutouts differ in size")
    height, width = images[0].shape
    x, y = (_middle(needed(candidate, name), size) for name, size in (("xpos", width), ("ypos", height)))
    science, reference, difference = (framed(image, x, y) for image in images)
    return stacked(science, reference, -difference if is_negative else difference)


def _middle(position: float, size: int) -> int:
    """Return where the candidate's pixel lies on an axis of its cutout, which the frame's edge may have cut short."""
    half, before = STAMP_SIZE_PX // 2, round(position) - 1
    if size >= STAMP_SIZE_PX:
        return size // 2
    # What is missing lies before the first pixel of the frame, else after its last.
    return before if before < half else half
