"""Catalogues from cone search services of the Virtual Observatory: one circle on the sky at a time, kept for long."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

from detection.context.fields import Part, service_of
from detection.context.loading import Origin, store
from detection.context.tables import LONGEST_TEXT, TableRefused, context_table
from detection.models import ContextArea, ContextKind
from preprocessing.star_service import MOST_STARS, Circle, ServiceFailed, cone_address, fetch_table


def fetch_area(kind: ContextKind, part: Part, catalogue: str = "") -> ContextArea:
    """Ask the service of a kind for a circle and keep what it gives. Raises ServiceFailed."""
    base = service_of(kind)
    if not base:
        raise ServiceFailed(f"No service is set for {kind.label}: set ASTRID_CONTEXT_{kind.name}_SERVICE.")
    host = urlsplit(base).hostname or base
    # A cone search is asked for a place, not for a depth.
    circle = Circle(part.ra_deg, part.dec_deg, part.radius_deg, faintest_mag=99.0)
    url = cone_address(base, circle, verbosity=2)
    table = fetch_table(url, kind.label)
    digest = hashlib.sha256(url.encode()).hexdigest()
    try:
        kept = context_table(table, host)
    except TableRefused as refusal:
        raise ServiceFailed(str(refusal)) from refusal
    origin = Origin(kind, (catalogue or host)[:LONGEST_TEXT], base, digest)
    return store(kept, origin, part, is_complete=len(kept) + kept.skipped < MOST_STARS)
