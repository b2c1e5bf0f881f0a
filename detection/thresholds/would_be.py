"""Which scored candidates would be detections under other values: the rule of the stage, asked of the database."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from catalog.configuration.values import Snapshot
from detection.models import Model
from detection.thresholds import in_force
from differencing.models import Tracklet

_VETO = "detection.veto_"
_FLAGS = ("is_negative", "is_edge", "is_saturated", "is_blended")
# The keys that decide.
READS = ("detection.bright_snr", *in_force.READS)


def is_asked_for(key: str) -> bool:
    """Say whether a key decides about what becomes a detection of what is scored."""
    return key in READS or key.startswith(_VETO)


def would_be_detections(model: Model, config: Snapshot) -> Q:
    """Return which scores of a model make their candidate a detection.

    What the score says and no veto rejects, what is bright with nothing against it, and what moves.
    """
    is_refused = Q(candidate__is_reference_ghost=True) | Q(candidate__is_dipole=True)
    for key, rejects in config.values.items():
        if key.startswith(_VETO) and rejects:
            is_refused |= Q(candidate__vetoes__contains=[{"code": key.removeprefix(_VETO)}])
    by_score = Q(score__gte=in_force.in_force(model, config).threshold)
    is_plain = Q(**{f"candidate__{flag}": False for flag in _FLAGS})
    is_bright = Q(candidate__snr__gte=config["detection.bright_snr"], candidate__vetoes=[]) & is_plain
    moving = Tracklet.objects.linked().moving().filter(members=OuterRef("candidate"))
    return ((by_score | is_bright) & ~is_refused) | (Q(candidate__is_dipole=False) & Q(Exists(moving)))
