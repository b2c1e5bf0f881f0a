"""What is known of a detection's surroundings, in one sentence; what cannot be said is said so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils import timezone

from catalog.configuration.values import snapshot
from detection.context.near import Cover, Near, Neighbours
from detection.known.comparing import Known, Verdict
from detection.models import ContextKind, Detection
from detection.sources.photometry import Brightness

# A named star or variable this close is likely to be it.
_HERE_ARCSEC = 2.0
_NAMES = {ContextKind.VARIABLE: "variable", ContextKind.GALAXY: "galaxy", ContextKind.STAR: "star"}


def sentence_of(detection: Detection, brightness: Brightness, neighbours: Neighbours, known: Known) -> str:
    """Return the sentence: what was seen beside what, what is not there by which catalogues, and what nobody knows."""
    parts = [", ".join([_seen(detection, brightness), *_beside(neighbours)])]
    parts += _absent(neighbours)
    parts.append(_body(known))
    parts += _unknown(neighbours)
    return "; ".join(parts)


def _seen(detection: Detection, brightness: Brightness) -> str:
    if brightness.mag is not None:
        return f"{brightness.mag:.1f} mag"
    candidate = detection.candidate
    return "fainter than in the reference" if candidate and candidate.is_negative else "of unknown magnitude"


def _beside(neighbours: Neighbours) -> Iterator[str]:
    """Tell of the likeliest of each kind: variable, host, star."""
    variables = neighbours.near.get(ContextKind.VARIABLE, ())
    galaxies = [one for one in neighbours.near.get(ContextKind.GALAXY, ()) if one.may_be_host]
    stars = neighbours.near.get(ContextKind.STAR, ())
    for one in variables[:1]:
        yield f"{_place(one)} from the known variable {_called(one)}"
    for one in galaxies[:1]:
        told = _brackets(one.name, _depth(one), _redshift(one))
        yield f"{_place(one)} from the nucleus of a {_bright(one)}galaxy{told}"
    for one in stars[:1]:
        is_variable = any(abs(one.separation_arcsec - other.separation_arcsec) < 1.0 for other in variables[:1])
        if not (is_variable and one.separation_arcsec < _HERE_ARCSEC):
            yield f"{_place(one)} from a {_bright(one)}star{_brackets(one.name, _parallax(one), _motion(one))}"


def _absent(neighbours: Neighbours) -> Iterator[str]:
    """Tell what all of some catalogue holds none of."""
    for kind, name in _NAMES.items():
        covers = neighbours.covers.get(kind, ())
        near = neighbours.near.get(kind, ())
        if covers and not near:
            yield f"no known {name} within {neighbours.radius_arcsec[kind]:g}″ ({_by(covers)})"
        elif covers and kind == ContextKind.GALAXY and not near[0].may_be_host:
            yield f"outside the light of every known galaxy within {neighbours.radius_arcsec[kind]:g}″ ({_by(covers)})"


def _unknown(neighbours: Neighbours) -> Iterator[str]:
    """Tell of which kinds nothing can be said."""
    lacking = [
        f"a known {name}"
        for kind, name in _NAMES.items()
        if not neighbours.covers.get(kind) and not neighbours.near.get(kind)
    ]
    if lacking:
        # Behind the last comma as people write it.
        names = " or ".join([", ".join(lacking[:-1]), lacking[-1]]) if len(lacking) > 1 else lacking[0]
        why = neighbours.cannot or "no catalogue loaded covers this place"
        yield f"whether {names} is near cannot be said: {why}"


def _body(known: Known) -> str:
    if known.verdict == Verdict.KNOWN and known.objects:
        return f"{known.objects[0].separation_arcsec:.1f}″ from the known body {known.objects[0].designation}"
    if known.verdict == Verdict.NOT_KNOWN:
        radius = float(snapshot()["known_objects.search_radius_arcsec"])
        return "not a known asteroid or comet" if known.objects else f"no known asteroid within {radius:g}″"
    return "whether it is a known asteroid cannot be said"


def _by(covers: Sequence[Cover]) -> str:
    """Name the catalogues, how deep they go and how old they are."""
    told = {}
    for cover in covers:
        depth = f" to {cover.faintest_mag:.1f} mag" if cover.faintest_mag is not None else ""
        age = f" {_age(cover.loaded_at)}" if cover.loaded_at is not None else ""
        told[cover.catalogue] = f"{cover.catalogue}{depth}{age}"
    return ", ".join(told.values())


def _age(at: datetime) -> str:
    days = (timezone.now() - at).days
    return {0: "of today", 1: "of yesterday"}.get(max(days, 0), f"of {days} days ago")


def _place(one: Near) -> str:
    return f"{one.separation_arcsec:.1f}″"


def _called(one: Near) -> str:
    name = one.name or f"of {one.catalogue}"
    return f"{name}{_brackets(one.type_name, _bright(one).strip())}"


def _bright(one: Near) -> str:
    """Name a brightness as an adjective with its space; "" where none is known."""
    if one.mag is None:
        return ""
    return f"{one.band} = {one.mag:.1f} " if one.band else f"{one.mag:.1f} mag "


def _depth(one: Near) -> str:
    return f"{one.light_radii:.1f} light radii" if one.light_radii is not None else ""


def _redshift(one: Near) -> str:
    return f"z = {one.redshift:.3f}" if one.redshift is not None else ""


def _parallax(one: Near) -> str:
    return f"parallax {one.parallax_mas:.1f} mas" if one.parallax_mas is not None else ""


def _motion(one: Near) -> str:
    speed = one.speed_mas_per_year
    return f"moving {speed:.0f} mas a year" if speed is not None and speed >= 1.0 else ""


def _brackets(*words: str) -> str:
    told = ", ".join(word for word in words if word)
    return f" ({told})" if told else ""
