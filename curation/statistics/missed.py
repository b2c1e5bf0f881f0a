"""How much of what the model hides is real, by what was drawn from it and judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, DateField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from curation.judgements.verdicts import REAL
from curation.numerics.shares import Share, Sums, weighted_share
from curation.statistics.tables import Bar, Cell, Column, Statistic
from detection.models import Detection, DetectionOrigin, DetectionStatus

# Nights of the table, the latest.
_MOST_NIGHTS, _NIGHTS_DRAWN = 60, 6
_COLUMNS = (
    Column("model_version", "Model"), Column("night", "Night"), Column("drawn", "Drawn"), Column("judged", "Judged"),
    Column("real", "Real"), Column("missed_share", "Share real"), Column("missed_share_low_95", "from"),
    Column("missed_share_high_95", "to"), Column("effective_count", "Counts as"),
)  # fmt: skip
_WEIGHT = 1.0 / F("inclusion_probability")


@dataclass(frozen=True)
class _Group:
    """What was drawn of one model, in one night or all, the sums over what of it was judged, and its share of real."""

    version: str
    night: date | None
    drawn: int
    sums: Sums
    share: Share | None


def missed() -> Statistic:
    """Return the weighted share of real ones among the hidden, of each model over all and for each of its nights."""
    rows = Detection.objects.filter(origin=DetectionOrigin.SAMPLED).exclude(status=DetectionStatus.ARCHIVED)
    whole = _groups(rows, Value(None, output_field=DateField()))
    nights = _groups(rows, F("observation__night"))
    shown = [*whole, *nights[:_MOST_NIGHTS]]
    return Statistic(
        slug="missed",
        title="Real ones below the cut",
        sentence="Share of real ones among what the model or a veto has hidden, by what was drawn from it at random "
        "and judged; each counts by one over its probability. Bars end at the share, lines at its interval of 95 %.",
        columns=_COLUMNS,
        rows=[_row(group) for group in shown],
        bars=[bar for group in [*whole, *nights[:_NIGHTS_DRAWN]] if (bar := _bar(group)) is not None],
        notes=_notes(is_empty=not shown, nights=len(nights)),
    )


def _groups(rows: QuerySet[Detection], night: F | Value) -> list[_Group]:
    """Return the groups by night and model, the latest night first."""
    judged, real = Q(status__in=(*REAL, DetectionStatus.REJECTED)), Q(status__in=REAL)
    sums = rows.order_by().values("model_version", night=night).annotate(
        drawn=Count("pk"),
        count=Count("pk", filter=judged),
        weight=Coalesce(Sum(_WEIGHT, filter=judged), 0.0),
        weight2=Coalesce(Sum(_WEIGHT * _WEIGHT, filter=judged), 0.0),
        hits=Count("pk", filter=real),
        hit_weight=Coalesce(Sum(_WEIGHT, filter=real), 0.0),
        hit_weight2=Coalesce(Sum(_WEIGHT * _WEIGHT, filter=real), 0.0),
    )  # fmt: skip
    names = ("model_version", "night", "drawn", *Sums.__dataclass_fields__)
    groups = []
    for version, of_night, drawn, *values in sums.order_by("-night", "model_version").values_list(*names):
        of_judged = Sums(*values)
        groups.append(_Group(version, of_night, drawn, of_judged, weighted_share(of_judged)))
    return groups


def _row(group: _Group) -> list[Cell]:
    share, sums = group.share, group.sums
    ends = (None,) * 4 if share is None else (share.value, share.low, share.high, share.effective_count)
    return [group.version, group.night, group.drawn, sums.count, sums.hits, *ends]


def _bar(group: _Group) -> Bar | None:
    share, sums = group.share, group.sums
    if share is None:
        return None
    words = f"{100 * share.value:.1f} % ({100 * share.low:.1f} to {100 * share.high:.1f}), {sums.hits} of {sums.count}"
    return Bar(f"{group.night or 'All nights'}, {group.version}", share.value, words, share.low, share.high)


def _notes(*, is_empty: bool, nights: int) -> list[str]:
    if is_empty:
        return ["Nothing was drawn: set detection.hidden_share in the configuration to measure what the model misses."]
    notes = ["What was drawn and is not judged yet is left out, as if it were like what was judged."]
    return [*notes, f"Of {nights} nights the latest {_MOST_NIGHTS}."] if nights > _MOST_NIGHTS else notes
