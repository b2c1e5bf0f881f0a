"""What lies around a detection, as far as catalogues and orbits are loaded."""

from __future__ import annotations

from curation.packets.facts import BodyFacts, ContextFacts, NearFacts
from detection.context.near import Near, neighbours_of
from detection.known.comparing import known_near
from detection.models import ContextKind, Detection
from observations.models import WcsQuality

# Of each kind, the nearest; of bodies, the likeliest.
_MOST_OF_A_KIND = 5


def context_of(detection: Detection) -> ContextFacts | None:
    """Return what is near; None where the frame's position is nominal, and nothing can be said."""
    if detection.observation.wcs_quality == WcsQuality.NOMINAL:
        return None
    known, near = known_near(detection), neighbours_of(detection)
    return ContextFacts(
        verdict=known.verdict.value,
        sentence=known.sentence,
        orbits_utc=known.orbits_at,
        bodies=tuple(
            BodyFacts(
                designation=body.designation,
                is_comet=body.is_comet,
                separation_arcsec=body.separation_arcsec,
                sigmas=body.sigmas,
                predicted_mag=body.predicted_mag,
                rate_arcsec_per_min=body.rate_arcsec_per_min,
            )
            for body in known.objects[:_MOST_OF_A_KIND]
        ),
        catalogued=tuple(_near(kind, one) for kind in ContextKind for one in near.near.get(kind, ())[:_MOST_OF_A_KIND]),
    )


def _near(kind: ContextKind, one: Near) -> NearFacts:
    return NearFacts(
        kind=kind.value,
        catalogue=one.catalogue,
        name=one.name or None,
        type_name=one.type_name or None,
        ra=one.ra,
        dec=one.dec,
        mag=one.mag,
        band=one.band or None,
        separation_arcsec=one.separation_arcsec,
        redshift=one.redshift,
    )
