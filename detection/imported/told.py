"""What another survey said in its alert of a detection, as it is kept beside our score and shown."""

from __future__ import annotations

from dataclasses import dataclass

from detection.numerics.packets.packet import TheirScore

# Its place in a detection's `prediction_metadata`.
TOLD = "told"


@dataclass(frozen=True)
class Told:
    """What an alert told beside what its candidate holds; None where it did not.

    scores : of the survey's own models, the one it trusts most first. star_fwhm_px : of a star in the cutouts, as our
    model was told; star_fwhm_from : "packet", "pixels" or "survey". earlier_undetected : limits of ZTF, forced
    measurements of LSST. is_turned : the difference came as reference minus science.
    """

    survey: str
    alert: str
    object_name: str | None
    scores: tuple[TheirScore, ...]
    mag: float | None
    mag_error: float | None
    flux_unit: str
    known_body: str | None
    earlier_detections: int
    earlier_undetected: int
    is_turned: bool
    star_fwhm_px: float
    star_fwhm_from: str
    schema: str | None
    publisher: str | None
