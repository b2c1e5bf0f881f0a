"""What people have answered lately: how much on each day, how much each of them, with which labels."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from django.db.models import Avg, Count, F, Q, QuerySet
from django.db.models.functions import Coalesce, TruncDate, TruncHour
from django.utils import timezone

from catalog.models import Visitor
from curation.judgements import visibility
from curation.judgements.agreement import Agreement, agreement_for
from curation.models import EventKind, ValidationEvent
from curation.statistics.tables import Bar, Column, Statistic

# So many of the latest events are looked at: what the page costs does not grow with what was ever said.
MOST_EVENTS = 30_000
_ANSWERS = Count(Coalesce("group", "id"), distinct=True)


@dataclass(frozen=True)
class Period:
    """The latest days, this one included, as far as a person may read what was said in them."""

    days: int
    user: Visitor

    @cached_property
    def since(self) -> datetime:
        """Return when these days began; later, where more was judged in them than is looked at."""
        first = timezone.now() - timedelta(days=self.days)
        latest = ValidationEvent.objects.filter(created_at__gt=first).order_by("-created_at", "-id")
        return next(iter(latest.values_list("created_at", flat=True)[MOST_EVENTS - 1 : MOST_EVENTS]), first)

    @property
    def events(self) -> QuerySet[ValidationEvent]:
        """Return the verdicts of these days, the latest."""
        events = visibility.judgements_for(self.user)
        return events.filter(created_at__gte=self.since, kind=EventKind.VERDICT).order_by()

    @cached_property
    def agreement(self) -> Agreement:
        """Return how far people agreed in these days."""
        return agreement_for(self.user, since=self.since)

    @property
    def words(self) -> str:
        return f"the last {self.days} days (UTC), and of the latest {MOST_EVENTS:,} judgements"


def pace(period: Period) -> Statistic:
    """Return how many answers there were on each day, by person; one about an object's epochs is one."""
    of_each = period.events.annotate(day=TruncDate("created_at", tzinfo=UTC)).values("day", "validator__username")
    rows = [
        [row["day"], row["validator__username"], row["answers"], row["judgements"]]
        for row in of_each.annotate(answers=_ANSWERS, judgements=Count("id")).order_by("-day", "validator__username")
    ]
    on_day: dict[date, int] = defaultdict(int)
    for day, _, answers, _ in rows:
        on_day[day] += answers
    return Statistic(
        slug="pace",
        title="Answers a day",
        sentence=f"Answers, of {period.words}. One about all epochs of an object counts once.",
        columns=(
            Column("date_utc", "Day (UTC)"), Column("person", "Person"), Column("answers", "Answers"),
            Column("judgements", "Judgements"),
        ),
        rows=rows,
        bars=[Bar(day.isoformat(), float(count), str(count)) for day, count in on_day.items()],
    )  # fmt: skip


def people(period: Period) -> Statistic:
    """Return how many answers each person gave in an hour in which they answered."""
    hour = TruncHour("created_at", tzinfo=UTC)
    found = period.events.values("validator__username").annotate(answers=_ANSWERS, hours=Count(hour, distinct=True))
    rows = [
        [row["validator__username"], row["answers"], row["hours"], row["answers"] / row["hours"]]
        for row in found.order_by("-answers", "validator__username")
    ]
    return Statistic(
        slug="people",
        title="Answers an hour",
        sentence=f"Answers of each person, of {period.words}. An hour counts where they answered something in it.",
        columns=(
            Column("person", "Person"), Column("answers", "Answers"), Column("active_hours", "Hours"),
            Column("answers_per_active_hour", "An hour"),
        ),
        rows=rows,
        bars=[Bar(row[0], row[3], f"{row[3]:.0f} an hour, {row[1]} in {row[2]} h") for row in rows],
    )  # fmt: skip


def labels(period: Period) -> Statistic:
    """Return how often each label was given, and what the model had said."""
    of_each = period.events.values("label", "is_valid", model_version=F("detection__model_version"))
    rows = [
        [row["label"] or "no label", "real" if row["is_valid"] else "not real", row["model_version"],
         row["judgements"], row["score"], row["unsure"] / row["judgements"]]
        for row in of_each.annotate(
            judgements=Count("id"), score=Avg("detection__confidence_score"),
            unsure=Count("id", filter=Q(confidence_level="low")),
        ).order_by("-judgements", "label", "model_version")
    ]  # fmt: skip
    given: dict[str, int] = defaultdict(int)
    for label, verdict, _, judgements, *_ in rows:
        given[f"{label.replace('_', ' ')} ({verdict})"] += judgements
    most = sorted(given.items(), key=lambda entry: -entry[1])
    return Statistic(
        slug="labels",
        title="Labels",
        sentence=f"Judgements by label and model, of {period.words}, with the model’s mean score.",
        columns=(
            Column("label", "Label"), Column("verdict", "Verdict"), Column("model_version", "Model"),
            Column("judgements", "Judgements"), Column("mean_score", "Mean score"),
            Column("share_of_low_confidence", "Share unsure"),
        ),
        rows=rows,
        bars=[Bar(label, float(count), str(count)) for label, count in most],
    )  # fmt: skip


def models(period: Period) -> Statistic:
    """Return for each model version how often people agreed with what it had shown."""
    shown = period.events.filter(detection__origin="pipeline")
    of_each = shown.values(model_version=F("detection__model_version"))
    found = of_each.annotate(judgements=Count("id"), real=Count("id", filter=Q(is_valid=True)))
    rows = [
        [row["model_version"], row["judgements"], row["real"], row["real"] / row["judgements"]]
        for row in found.order_by("-judgements")
    ]
    return Statistic(
        slug="models",
        title="What the models showed",
        sentence=f"Share of what each model showed that people called real, of {period.words}.",
        columns=(
            Column("model_version", "Model"), Column("judgements", "Judgements"), Column("real", "Called real"),
            Column("share_real", "Share real"),
        ),
        rows=rows,
        bars=[Bar(row[0], row[3], f"{100 * row[3]:.0f} % of {row[1]}") for row in rows],
        full=1.0,
    )  # fmt: skip
