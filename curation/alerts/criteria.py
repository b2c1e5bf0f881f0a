"""Which alerts a subscriber wants: declared values, and the one place where a publication is held against them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from catalog.json_classes import as_json, read_as
from curation.alerts.facts import Ground
from curation.models import AlertPriority, AlertType
from detection.models import DetectionType
from observations.numerics.sphere import separation_deg

ARCSEC = 3600.0


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """What an alert must be to be sent; what is empty or None asks for nothing.

    A bound is not met by what is not known. snr_min bounds the size of the S/N, which is negative where light is
    missing; mag_max is the faintest. includes_automatic : also what no person has judged, where alerts are automatic.
    """

    kinds: tuple[AlertType, ...] = ()
    priorities: tuple[AlertPriority, ...] = ()
    detection_types: tuple[DetectionType, ...] = ()
    labels: tuple[str, ...] = ()
    ra_deg: float | None = None
    dec_deg: float | None = None
    radius_arcsec: float | None = None
    score_min: float | None = None
    snr_min: float | None = None
    mag_max: float | None = None
    includes_automatic: bool | None = None

    def stored(self) -> object:
        """Return what a row holds of it."""
        return {name: value for name, value in _pairs(as_json(self)) if value or _is_zero(value)}


def criteria_of(stored: object) -> Criteria:
    """Return what a row holds."""
    return read_as(Criteria, stored)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a publication says, as far as criteria ask; None where it says nothing.

    about : key of the object that it is counted by. follows : keys of the alerts that it updates or retracts.
    """

    about: str
    title: str
    kind: str
    priority: str
    detection_type: str | None
    label: str | None
    ra_deg: float | None
    dec_deg: float | None
    score: float | None
    snr: float | None
    mag: float | None
    is_human: bool
    follows: tuple[UUID, ...]


def told(payload: object) -> Told:
    """Read a frozen payload, whichever version wrote it."""
    said = payload if isinstance(payload, Mapping) else {}
    stored = said.get("metadata")
    facts = stored if isinstance(stored, Mapping) else {}
    return Told(
        about=_text(said, "source") or _text(said, "detection") or "",
        title=_text(said, "title") or "",
        kind=_text(said, "alert_type") or "",
        priority=_text(said, "priority") or "",
        detection_type=_text(facts, "detection_type"),
        label=_text(facts, "label"),
        ra_deg=_number(facts, "ra_deg"),
        dec_deg=_number(facts, "dec_deg"),
        score=_number(facts, "score"),
        snr=_number(facts, "snr"),
        mag=_number(facts, "mag"),
        # What does not say so was judged by nobody.
        is_human=facts.get("basis") == Ground.HUMAN,
        follows=tuple(key for name in ("updates", "retracts") if (key := _key(facts, name))),
    )


def matches(wanted: Criteria, said: Told, *, is_automatic_on: bool) -> bool:
    """Tell whether an alert is wanted for what it says; what it follows is the caller's to know."""
    return (
        (said.is_human or (bool(wanted.includes_automatic) and is_automatic_on))
        and _one_of(said.kind, wanted.kinds)
        and _one_of(said.priority, wanted.priorities)
        and _one_of(said.detection_type, wanted.detection_types)
        and _one_of(said.label, wanted.labels)
        and _at_least(said.score, wanted.score_min)
        and _at_least(None if said.snr is None else abs(said.snr), wanted.snr_min)
        and _at_least(None if said.mag is None else -said.mag, None if wanted.mag_max is None else -wanted.mag_max)
        and _is_within(wanted, said)
    )


def _one_of(value: str | None, wanted: tuple[str, ...]) -> bool:
    return not wanted or value in wanted


def _at_least(value: float | None, least: float | None) -> bool:
    return least is None or (value is not None and value >= least)


def _is_within(wanted: Criteria, said: Told) -> bool:
    if wanted.ra_deg is None or wanted.dec_deg is None or wanted.radius_arcsec is None:
        return True
    if said.ra_deg is None or said.dec_deg is None:
        return False
    distance = float(separation_deg(said.ra_deg, said.dec_deg, wanted.ra_deg, wanted.dec_deg))
    return distance * ARCSEC <= wanted.radius_arcsec


def _text(given: Mapping[object, object], name: str) -> str | None:
    value = given.get(name)
    return value if isinstance(value, str) and value else None


def _number(given: Mapping[object, object], name: str) -> float | None:
    value = given.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if math.isfinite(value) else None


def _key(given: Mapping[object, object], name: str) -> UUID | None:
    try:
        return UUID(_text(given, name) or "")
    except ValueError:
        return None  # Written by hand, or by a version that knew no keys.


def _is_zero(value: object) -> bool:
    """Tell whether a value is the number, which asks for something where False does not."""
    return isinstance(value, float) and value == 0.0


def _pairs(given: object) -> list[tuple[str, object]]:
    return list(given.items()) if isinstance(given, Mapping) else []
