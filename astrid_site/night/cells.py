"""Detections as cells of a contact sheet: their stored pixels, where north is in them, and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from astropy import units
from astropy.coordinates import SkyCoord

from astrid_site.night.contact_sheet import Cell
from catalog.files import arrays, storage
from detection.cutouts.overlay import place_in, turn_of
from detection.models import Detection
from observations.models import WcsQuality
from preprocessing.models import PreprocessRun

LONGEST_NAME = 36

Place = tuple[str, float, float]


def best_first(detections: Iterable[Detection]) -> list[Detection]:
    """Order detections so that each source comes with its best one before any comes with its second best."""
    ordered = sorted(detections, key=lambda d: (-abs(_snr(d)), d.observation.mjd_utc, d.pixel_y, d.pixel_x))
    seen: Counter[object] = Counter()
    ranks = []
    for detection in ordered:
        source = detection.source_id or detection.pk
        ranks.append(seen[source])
        seen[source] += 1
    return [d for _, d in sorted(zip(ranks, ordered, strict=True), key=lambda pair: pair[0])]


def cell_of(detection: Detection, names: Mapping[Place, str]) -> Cell | None:
    """Return the cell of one detection, None where its cutouts are gone; `names` are true names by place."""
    try:
        cutouts = arrays.load(storage.open_stored(detection.cutouts_path))
    except (FileNotFoundError, storage.OutsideStorage):
        return None
    observation = detection.observation
    is_nominal = observation.wcs_quality == WcsQuality.NOMINAL
    x, y = place_in(detection)
    is_negative = detection.candidate is not None and detection.candidate.is_negative
    return Cell(
        cutouts=cutouts,
        x=x,
        y=y,
        turn=turn_of(detection),
        captions=(_where(detection, is_nominal), _what(detection)),
        warning="NEGATIVE: fainter than before" if is_negative else "",
        name=names.get((observation.original_name, detection.pixel_x, detection.pixel_y), ""),
        scale_arcsec=observation.pixel_scale,
    )


def _snr(detection: Detection) -> float:
    return (detection.candidate.snr or 0.0) if detection.candidate is not None else 0.0


def _where(detection: Detection, is_nominal: bool) -> str:
    pixel = f"{shortened(detection.observation.original_name)}   x {detection.pixel_x:.1f}  y {detection.pixel_y:.1f}"
    if is_nominal:
        return f"{pixel}   nominal position, not rotated"
    place = SkyCoord(detection.ra, detection.dec, unit="deg")
    ra = place.ra.to_string(unit=units.hourangle, sep=" ", precision=2, pad=True)
    return f"{pixel}   {ra}  {place.dec.to_string(sep=' ', precision=1, pad=True, alwayssign=True)}"


def shortened(name: str) -> str:
    """Return a name with its middle left out where it is too long for one line."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME // 2]}…{name[-LONGEST_NAME // 2 + 1 :]}"


def _what(detection: Detection) -> str:
    words = [f"S/N {_snr(detection):.1f}", f"score {detection.confidence_score:.2f}"]
    candidate, run = detection.candidate, PreprocessRun.objects.newest_for(detection.observation)
    if candidate is not None and run is not None and run.zero_point_mag is not None and candidate.flux:
        magnitude = run.zero_point_mag - 2.5 * np.log10(abs(candidate.flux))
        words.append(f"{run.zero_point_band} {magnitude:.2f} mag")
    if candidate is not None and candidate.fwhm is not None:
        words.append(f"FWHM {candidate.fwhm:.1f} px")
    if candidate is not None:
        words += [name for name in ("saturated", "blended", "edge") if getattr(candidate, f"is_{name}")]
    if detection.source is not None and detection.source.detection_count > 1:
        words.append(f"source seen {detection.source.detection_count} times")
    return "   ".join(words)
