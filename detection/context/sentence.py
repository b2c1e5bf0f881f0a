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
from observations.numerics.sphere import separation_deg

# Two catalogues' places of one star differ by less, those of old lists of variables included.
_SAME_ARCSEC = 2.0
# Letters and numbers before which people say "an".
_WITH_AN = ("r", "R", "i", "I", "H", "8", "11", "18")
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
    """Tell of the likeliest of each kind, the nearest first: variable, host, star."""
    variables = neighbours.near.get(ContextKind.VARIABLE, ())[:1]
    galaxies = [one for one in neighbours.near.get(ContextKind.GALAXY, ()) if one.may_be_host][:1]
    stars = [one for one in neighbours.near.get(ContextKind.STAR, ())[:1] if not _is_among(one, variables)]
    told = [(one, f"the known variable {_called(one)}") for one in variables]
    told += [
        (one, f"the nucleus of {_bright(one)}galaxy{_brackets(one.name, _depth(one), _redshift(one))}")
        for one in galaxies
    ]
    told += [(one, f"{_bright(one)}star{_brackets(one.name, _parallax(one), _motion(one))}") for one in stars]
    for one, what in sorted(told, key=lambda pair: pair[0].separation_arcsec):
        yield f"{one.separation_arcsec:.1f}″ from {what}"


def _is_among(star: Near, variables: Sequence[Near]) -> bool:
    """Say whether a star is a variable that is told already."""
    return any(3600.0 * float(separation_deg(star.ra, star.dec, one.ra, one.dec)) < _SAME_ARCSEC for one in variables)


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


def _called(one: Near) -> str:
    return f"{one.name or f'of {one.catalogue}'}{_brackets(one.type_name, _magnitude(one))}"


def _bright(one: Near) -> str:
    """Name a brightness as an adjective behind its article."""
    magnitude = _magnitude(one)
    return f"{'an' if magnitude.startswith(_WITH_AN) else 'a'} {magnitude}{' ' if magnitude else ''}"


def _magnitude(one: Near) -> str:
    if one.mag is None:
        return ""
    return f"{one.band} = {one.mag:.1f}" if one.band else f"{one.mag:.1f} mag"


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
