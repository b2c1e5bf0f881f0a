"""What a subscriber asks for, in words."""

from __future__ import annotations

from curation.alerts.criteria import Criteria
from curation.models import LabelDefinition


def criteria_in_words(wanted: Criteria) -> list[tuple[str, str]]:
    """Return what narrows the alerts, each with its name; nothing where nothing does."""
    titles = dict(LabelDefinition.objects.values_list("label", "title")) if wanted.labels else {}
    said = [
        ("Kind", ", ".join(str(kind.label) for kind in wanted.kinds)),
        ("Priority", ", ".join(str(priority.label) for priority in wanted.priorities)),
        ("Type", ", ".join(str(kind.label) for kind in wanted.detection_types)),
        ("Label", ", ".join(titles.get(label, label) for label in wanted.labels)),
        ("Place", _place(wanted)),
        ("Score", f"{wanted.score_min:g} and above" if wanted.score_min is not None else ""),
        (
            "S/N",
            f"{wanted.snr_min:g} and above, of either sign" if wanted.snr_min is not None else "",
        ),
        ("Magnitude", f"{wanted.mag_max:g} or brighter" if wanted.mag_max is not None else ""),
    ]
    return [(name, text) for name, text in said if text]


def _place(wanted: Criteria) -> str:
    if wanted.ra_deg is None or wanted.dec_deg is None or wanted.radius_arcsec is None:
        return ""
    return f"within {wanted.radius_arcsec:g}″ of RA {wanted.ra_deg:.5f}°, Dec {wanted.dec_deg:+.5f}°"
