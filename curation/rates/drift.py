"""Whether a model's scores, and the share of false ones that it shows, are what they were: by night and conditions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Case, Count, F, IntegerField, Q, Value, When

from catalog.hiding import hidden_from
from catalog.models import Visitor
from curation.judgements.verdicts import REAL
from curation.numerics.shares import Share, Sums, weighted_share
from curation.rates.decided import CLEAN
from detection.models import CandidateScore, DetectionOrigin, DetectionStatus, Model, ModelRun
from observations.models import Survey

# A night is held against those before it; with fewer than three of these it cannot be told what is usual.
BASE_NIGHTS, LEAST_BASE = 14, 3
# Nights that are shown, and so many candidates at least that a night's scores say something.
_SHOWN_NIGHTS, _LEAST_CANDIDATES = 14, 30
# Of the scores that are counted apart: finer where networks put most.
EDGES = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)
# The population stability index from which a distribution counts as another one, as is usual; small nights differ by
# more, and have to differ by three times what chance makes of their size.
_ALARM_INDEX = 0.25
_SHOWN = Q(candidate__detections__origin=DetectionOrigin.PIPELINE)
_HEIGHT_PX, _STEP_PX = 18.0, 9
# Arcseconds of seeing that are told apart.
_SEEING_EDGES = (2.0, 3.0, 4.5)


@dataclass
class Counts:
    """Candidates by range of score, and answers about what is shown."""

    scores: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))
    shown: int = 0
    real: int = 0
    false: int = 0

    @property
    def whole(self) -> int:
        return sum(self.scores)

    @property
    def answered(self) -> int:
        return self.real + self.false

    def add(self, other: Counts) -> None:
        self.scores = [a + b for a, b in zip(self.scores, other.scores, strict=True)]
        self.shown, self.real, self.false = (
            self.shown + other.shown, self.real + other.real, self.false + other.false,
        )  # fmt: skip

    @property
    def false_share(self) -> Share | None:
        """Return the share of what is shown and answered that people call not real."""
        return weighted_share(Sums(self.answered, self.answered, self.answered, self.false, self.false, self.false))


@dataclass(frozen=True)
class Bar:
    """One range of score in a small picture, in pixels."""

    x: int
    y: float
    height: float


@dataclass(frozen=True)
class Bars:
    """How scores are spread, as a small picture and in words."""

    places: tuple[Bar, ...]
    words: str


@dataclass(frozen=True)
class Drift:
    """One night, in one kind of conditions or all, beside the nights before it.

    index : how far the distribution of scores is from what it was, 0 for none; None where there is no telling.
    """

    night: date
    what: str
    counts: Counts
    base: Counts
    index: float | None

    @property
    def bars(self) -> Bars:
        """Return the spread of the scores; heights by the root, since nearly all lie near 0."""
        counts = self.counts
        most = max(*counts.scores, 1)
        heights = [_HEIGHT_PX * math.sqrt(n / most) for n in counts.scores]
        places = tuple(Bar(k * _STEP_PX, round(_HEIGHT_PX - h, 1), round(h, 1)) for k, h in enumerate(heights))
        starts = (0.0, *EDGES)
        ends = (*EDGES, 1.0)
        said = (f"{n} from {a:g} to {b:g}" for a, b, n in zip(starts, ends, counts.scores, strict=True))
        return Bars(places, ", ".join(said))

    @property
    def scores_differ(self) -> bool:
        return self.index is not None and self.index > max(_ALARM_INDEX, 3.0 * chance_index(self.counts, self.base))

    @property
    def falser(self) -> bool:
        """Tell whether more is false than before, beyond chance: the intervals do not meet."""
        now, before = self.counts.false_share, self.base.false_share
        return now is not None and before is not None and now.low > before.high

    @property
    def sentence(self) -> str:
        """Return what is different, "" where nothing is."""
        said = []
        where = f" in {self.what}" if self.what else ""
        if self.scores_differ:
            low, before = (_share_low(counts) for counts in (self.counts, self.base))
            said.append(
                f"Scores of night {self.night}{where} differ from the {BASE_NIGHTS} nights before: "
                f"{100 * low:.0f} % lie below 0.5, before it was {100 * before:.0f} %."
            )
        now, earlier = self.counts.false_share, self.base.false_share
        if self.falser and now is not None and earlier is not None:
            said.append(
                f"More of what was shown in night {self.night}{where} is false: {100 * now.value:.0f} % of "
                f"{self.counts.answered} answered, before it was {100 * earlier.value:.0f} %."
            )
        return " ".join(said)


def drift_of(model: Model) -> list[Drift]:
    """Return the latest nights of a model, each in all conditions and in each kind of them, the latest first.

    Conditions are the band, the survey and a range of seeing. Of candidates that neither a veto nor a flag rejects.
    """
    nights = _nights(model)
    if not nights:
        return []
    by_night = _counts(model, nights)
    found = []
    for k, night in enumerate(nights[:_SHOWN_NIGHTS]):
        before = nights[k + 1 : k + 1 + BASE_NIGHTS]
        for what, counts in sorted(by_night[night].items()):
            base = Counts()
            rows = [by_night[earlier][what] for earlier in before if what in by_night[earlier]]
            for row in rows:
                base.add(row)
            found.append(Drift(night, what, counts, base, _index(counts, base, len(rows))))
    return found


def shown_of(rows: Sequence[Drift], user: Visitor) -> list[Drift]:
    """Return those of some rows that name no survey which is hidden from a person; the others count all surveys."""
    hidden = {_of_survey(name) for name in hidden_names(user)}
    return [row for row in rows if row.what not in hidden]


def sentences_shown(sentences: Iterable[str], user: Visitor) -> list[str]:
    """Return those of some sentences of `alarms_among` that name no survey which is hidden from a person."""
    hidden = [f" in {_of_survey(name)} " for name in hidden_names(user)]
    return [said for said in sentences if not any(name in said for name in hidden)]


def hidden_names(user: Visitor) -> list[str]:
    """Return the names of the surveys that are hidden from a person."""
    hidden = hidden_from(user)
    return list(Survey.objects.filter(pk__in=hidden).values_list("name", flat=True)) if hidden else []


def _of_survey(name: str) -> str:
    return f"survey {name}"


def alarms_among(rows: Sequence[Drift]) -> list[str]:
    """Return a sentence for whatever is different in the latest night, all conditions first."""
    return [row.sentence for row in rows if row.night == rows[0].night and row.sentence]


def stability_index(now: Sequence[int], base: Sequence[int]) -> float:
    """Return the population stability index Σ (p - q) ln (p / q) of two counts over the same ranges.

    Half a member is added to each range, so that an empty one does not make it infinite (Siddiqi 2006, Credit Risk
    Scorecards, has it with its usual limits .1 and .25).
    """
    n, m = sum(now) + 0.5 * len(now), sum(base) + 0.5 * len(base)
    shares = [((a + 0.5) / n, (b + 0.5) / m) for a, b in zip(now, base, strict=True)]
    return sum((p - q) * math.log(p / q) for p, q in shares)


def chance_index(now: Counts, base: Counts) -> float:
    """Return the index that two samples of one distribution have on the mean: (k - 1) (1 / n + 1 / m)."""
    if not now.whole or not base.whole:
        return math.inf
    return len(EDGES) * (1.0 / now.whole + 1.0 / base.whole)


def _nights(model: Model) -> list[date]:
    """Return the latest nights in which the model has scored, the latest first."""
    rows = ModelRun.objects.completed().filter(model=model).order_by("-observation__night")
    return list(rows.values_list("observation__night", flat=True).distinct()[: _SHOWN_NIGHTS + BASE_NIGHTS])


def _counts(model: Model, nights: Sequence[date]) -> dict[date, dict[str, Counts]]:
    """Count candidates by night, conditions and range of score in one statement."""
    steps = (When(score__lt=edge, then=Value(k)) for k, edge in enumerate(EDGES))
    rows = (
        CandidateScore.objects.filter(CLEAN, model=model, candidate__observation__night__in=list(nights))
        .order_by()
        .annotate(cell=Case(*steps, default=Value(len(EDGES)), output_field=IntegerField()))
        .values(
            "cell",
            night=F("candidate__observation__night"),
            band=F("candidate__observation__filter_band"),
            survey=F("candidate__observation__survey__name"),
            seeing=_seeing(),
        )
        .annotate(
            count=Count("pk"),
            shown=Count("pk", filter=_SHOWN),
            real=Count("pk", filter=_SHOWN & Q(candidate__detections__status__in=REAL)),
            false=Count("pk", filter=_SHOWN & Q(candidate__detections__status=DetectionStatus.REJECTED)),
        )
    )
    found: dict[date, dict[str, Counts]] = defaultdict(lambda: defaultdict(Counts))
    for row in rows:
        one = Counts(shown=row["shown"], real=row["real"], false=row["false"])
        one.scores[row["cell"]] = row["count"]
        for what in _conditions(row["band"], row["survey"], row["seeing"]):
            found[row["night"]][what].add(one)
    return found


def _seeing() -> Case:
    """Return the number of the range of seeing, None where it is not known."""
    steps = (When(candidate__observation__seeing__lt=edge, then=Value(k)) for k, edge in enumerate(_SEEING_EDGES))
    known = When(candidate__observation__seeing__isnull=False, then=Value(len(_SEEING_EDGES)))
    return Case(*steps, known, default=Value(None), output_field=IntegerField())


def _conditions(band: str, survey: str, seeing: int | None) -> Iterable[str]:
    """Yield "" for all conditions, then each in words."""
    yield ""
    yield f"band {band or 'unknown'}"
    yield _of_survey(survey)
    if seeing is None:
        yield "unknown seeing"
    elif seeing == 0:
        yield f"seeing below {_SEEING_EDGES[0]:g}″"
    elif seeing == len(_SEEING_EDGES):
        yield f"seeing of {_SEEING_EDGES[-1]:g}″ and more"
    else:
        yield f"seeing of {_SEEING_EDGES[seeing - 1]:g} to {_SEEING_EDGES[seeing]:g}″"


def _index(counts: Counts, base: Counts, nights: int) -> float | None:
    if nights < LEAST_BASE or counts.whole < _LEAST_CANDIDATES or base.whole < _LEAST_CANDIDATES:
        return None
    return stability_index(counts.scores, base.scores)


def _share_low(counts: Counts) -> float:
    return sum(n for edge, n in zip(EDGES, counts.scores, strict=False) if edge <= 0.5) / max(counts.whole, 1)
