"""Everything about one detection in one answer: what was measured, what is near, and who said what."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated
from uuid import UUID

from django.utils import timezone

from catalog.hiding import hidden_from
from catalog.json_classes import KeyOf
from catalog.models import User
from curation.detections.links import LinkFacts, links_of
from curation.detections.told import EPOCHS, LightCurveFacts, light_curve_shown
from curation.judgements import visibility
from curation.judgements.verdicts import answers_about
from curation.packets.around import context_of
from curation.packets.facts import ContextFacts, JudgedFacts, MotionFacts, SeenFacts
from curation.packets.history import motion_along, tracklet_of
from curation.packets.measures import runs_of, seen_of
from detection.models import Detection


class Part(StrEnum):
    """What can be asked for beside a detection."""

    MEASUREMENT = "measurement"
    LIGHT_CURVE = "light_curve"
    MOTION = "motion"
    CONTEXT = "context"
    JUDGEMENTS = "judgements"
    ALERTS = "alerts"
    LINKS = "links"


# What a token needs for them besides.
SCOPES: Mapping[Part, tuple[str, ...]] = MappingProxyType(
    {
        Part.MEASUREMENT: ("candidates:read", "observations:read"),
        Part.LIGHT_CURVE: ("sources:read",),
        Part.MOTION: ("tracklets:read",),
        Part.CONTEXT: ("known-objects:read",),
        Part.JUDGEMENTS: ("validation-events:read",),
        Part.ALERTS: ("alerts:read",),
        Part.LINKS: ("candidates:read", "observations:read"),
    }
)


@dataclass(frozen=True, kw_only=True)
class ExpandedFacts:
    """What was asked for with a detection; the rest is null.

    measurement : of its own frame, with the time in UTC and, where named so, in TAI. light_curve : of its source, with
    the limits before and between. motion : of what moves. context : what catalogues and orbits have near it.
    judgements : the standing ones, as far as this account may see them. alerts : that tell of it.
    links : where its page, its rows and its images are.
    """

    measurement: SeenFacts | None = None
    light_curve: LightCurveFacts | None = None
    motion: MotionFacts | None = None
    context: ContextFacts | None = None
    judgements: tuple[JudgedFacts, ...] | None = None
    alerts: tuple[Annotated[UUID, KeyOf("alerts")], ...] | None = None
    links: LinkFacts | None = None


def expanded_of(row: Detection, user: User, parts: Collection[Part]) -> ExpandedFacts:
    """Return the parts that are asked for of a detection, which is as this person may see it."""
    return ExpandedFacts(
        measurement=_measurement(row) if Part.MEASUREMENT in parts else None,
        light_curve=_light_curve(row, user) if Part.LIGHT_CURVE in parts else None,
        motion=_motion(row, user) if Part.MOTION in parts else None,
        context=context_of(row) if Part.CONTEXT in parts else None,
        judgements=_judgements(row, user) if Part.JUDGEMENTS in parts else None,
        alerts=_alerts(row, user) if Part.ALERTS in parts else None,
        links=links_of(row) if Part.LINKS in parts else None,
    )


def _measurement(row: Detection) -> SeenFacts:
    return seen_of(row, runs_of([row.observation_id], timezone.now()).get(row.observation_id))


def _light_curve(row: Detection, user: User) -> LightCurveFacts | None:
    return light_curve_shown(user, row.source.pk, EPOCHS) if row.source is not None else None


def _motion(row: Detection, user: User) -> MotionFacts | None:
    now = timezone.now()
    track = tracklet_of(row, now)
    return None if track is None else motion_along(track, now, hidden_from(user))


def _judgements(row: Detection, user: User) -> tuple[JudgedFacts, ...]:
    answers = answers_about([row.pk]).get(row.pk, [])
    others = {event.pk for event in visibility.others_for(user, answers)}
    return tuple(
        JudgedFacts(
            detection_uuid=row.pk,
            user=event.validator.get_username(),
            is_real=event.is_valid,
            confidence_level=event.confidence_level,
            label=event.label or None,
        )
        for event in answers
        if event.validator_id == user.pk or event.pk in others
    )


def _alerts(row: Detection, user: User) -> tuple[UUID, ...]:
    rows = visibility.alerts_for(user).filter(detection=row.pk).order_by("created_at", "id")
    return tuple(rows.values_list("pk", flat=True))
