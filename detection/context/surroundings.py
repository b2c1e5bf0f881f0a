"""All that is known around detections, for pages and clients: the sentence, the neighbours, the facts, the links."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from detection.context.facts import Facts, facts_of_each, site_of, sites_of
from detection.context.links import Link, links_of
from detection.context.near import Neighbours, neighbours_of_each
from detection.context.sentence import sentence_of
from detection.known.comparing import Known, known_near_each
from detection.models import Detection
from detection.sources.photometry import brightness_of


@dataclass(frozen=True)
class Context:
    """What is known around one detection."""

    sentence: str
    neighbours: Neighbours
    facts: Facts
    known: Known
    links: Sequence[Link]


def context_of(detection: Detection) -> Context:
    """Return what is known around one detection."""
    return context_of_each([detection])[detection.pk]


def context_of_each(
    detections: Collection[Detection], known: Mapping[UUID, Known] | None = None
) -> dict[UUID, Context]:
    """Return what is known around each detection, by its key; observations and candidates are loaded already.

    known : what orbits say of them, where somebody has asked already.
    """
    bodies = known_near_each(detections) if known is None else known
    sites = sites_of(detections)
    brightness, facts = brightness_of(detections), facts_of_each(detections, sites)
    neighbours = neighbours_of_each(detections)
    return {
        row.pk: Context(
            sentence_of(row, brightness[row.pk], neighbours[row.pk], bodies[row.pk]),
            neighbours[row.pk],
            facts[row.pk],
            bodies[row.pk],
            links_of(row, site_of(row, sites)),
        )
        for row in detections
    }
