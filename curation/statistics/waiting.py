"""What waits for review, by how long it has been waiting."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from catalog.counting import count_bounded
from curation.judgements.verdicts import OPEN
from curation.statistics.tables import Bar, Column, Statistic
from detection.models import Detection

# Days; each class is counted to so many, which is known fast however many there are.
_AGES = ((0, 1), (1, 7), (7, 30), (30, None))
_MOST = 10_000


def waiting() -> Statistic:
    """Return how many detections wait, by age since they were found."""
    now = timezone.now()
    rows, bars = [], []
    for youngest, oldest in _AGES:
        found = Detection.objects.filter(status__in=OPEN, created_at__lte=now - timedelta(days=youngest))
        if oldest is not None:
            found = found.filter(created_at__gt=now - timedelta(days=oldest))
        count = count_bounded(found, _MOST)
        rows.append([youngest, oldest, min(count, _MOST), "yes" if count > _MOST else "no"])
        words = f"more than {_MOST}" if count > _MOST else str(count)
        bars.append(Bar(_label(youngest, oldest), float(min(count, _MOST)), words))
    return Statistic(
        slug="waiting",
        title="Waiting for review",
        sentence="Detections that wait for an answer, by the days since they were found.",
        columns=(
            Column("age_from_days", "From (days)"), Column("age_to_days", "To (days)"),
            Column("detections", "Detections"), Column("is_more", "Or more"),
        ),
        rows=rows,
        bars=bars,
    )  # fmt: skip


def _label(youngest: int, oldest: int | None) -> str:
    if oldest is None:
        return f"over {youngest} days"
    return f"{youngest} to {oldest} days" if youngest else "under a day"
