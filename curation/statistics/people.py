"""How far people agree, and how well they review what is known."""

from __future__ import annotations

from curation.judgements.gold import by_person, completeness_for, found_injected_for, range_in_words
from curation.numerics.agreement import Kappa, Share
from curation.statistics.answers import Period
from curation.statistics.tables import Bar, Column, Statistic


def agreement(period: Period) -> Statistic:
    """Return Cohen's kappa of each two people, Fleiss' of all, and how often they say the same."""
    found = period.agreement
    rows = [[pair.first, pair.second, *_share(pair.same), *_kappa(pair.kappa)] for pair in found.pairs]
    together = found.together
    if together is not None:
        rows.append(["all people", "", None, None, None, together.items, *_kappa(together)])
    return Statistic(
        slug="agreement",
        title="Agreement",
        sentence=f"How often two people say the same of an object, neither knowing of the other’s answer, of "
        f"{period.words}: several people judged {found.objects} objects so.",
        columns=(
            Column("first", "One"), Column("second", "The other"), Column("share_same", "Same"),
            Column("share_same_low", "from"), Column("share_same_high", "to"), Column("objects", "Objects"),
            Column("kappa", "Kappa"), Column("kappa_low", "from"), Column("kappa_high", "to"),
        ),
        rows=rows,
        bars=[_bar(f"{pair.first} and {pair.second}", pair.same) for pair in found.pairs],
        full=1.0,
        notes=("Kappa is agreement beyond chance: 1 is perfect, 0 is chance; Cohen’s of two people, Fleiss’ of all.",),
    )  # fmt: skip


def disagreement(period: Period) -> Statistic:
    """Return for each label how often the other person of a pair did not give it."""
    found = period.agreement
    return Statistic(
        slug="disagreement",
        title="Disagreement per label",
        sentence=f"Of two answers, one with the label: how often the other lacks it, of {period.words}.",
        columns=(
            Column("label", "Label"), Column("share_differing", "Differ"), Column("share_differing_low", "from"),
            Column("share_differing_high", "to"), Column("pairs", "Pairs"),
        ),
        rows=[[one.label or "no label", *_share(one.differing)] for one in found.labels],
        bars=[_bar(one.label.replace("_", " ") or "no label", one.differing) for one in found.labels],
        full=1.0,
    )  # fmt: skip


def completeness(period: Period) -> Statistic:
    """Return how often people were right about known items, by kind and S/N."""
    found = completeness_for(period.user)
    rows = [[one.person, one.kind, one.snr_from, one.snr_to, *_share(one.right)] for one in found]
    return Statistic(
        slug="completeness",
        title="Right about known items",
        sentence="How often people said of known items what they are, by kind and signal-to-noise ratio, of all time.",
        columns=(
            Column("person", "Person"), Column("kind", "Kind"), Column("snr_from", "S/N from"),
            Column("snr_to", "S/N to"), Column("share_right", "Right"), Column("share_right_low", "from"),
            Column("share_right_high", "to"), Column("items", "Items"),
        ),
        rows=rows,
        bars=[
            _bar(f"{one.person}, {'real' if is_valid else 'bogus'} ones", share)
            for one in by_person(found)
            for is_valid, share in one.of_verdicts.items()
        ],
        notes=("The chart is of all kinds together. Experts see everybody’s, others their own.",),
        full=1.0,
    )  # fmt: skip


def injected(period: Period) -> Statistic:
    """Return how many of the sources that were injected into frames people found, by kind and S/N."""
    found = found_injected_for(period.user)
    rows = [
        [one.person or "all people", one.kind, one.snr_from, one.snr_to, *_share(one.right), one.right.part]
        for one in found
    ]
    # Of everybody together where an expert asks, else of oneself.
    first = next(iter(by_person(found)), None)
    empty = (
        "No injected source has been answered yet: set curation.fake_share in the configuration to mix some into what "
        "people review, and measure how many they find."
    )
    return Statistic(
        slug="injected",
        title="Completeness on injected sources",
        sentence="How many of the sources that were injected into real frames, and that the pipeline showed, people "
        "called real, by where they were put and the S/N that was injected, of all time. 95 % intervals (Wilson).",
        columns=(
            Column("person", "Person"), Column("kind", "Where"), Column("snr_from", "S/N from"),
            Column("snr_to", "S/N to"), Column("completeness", "Found"), Column("completeness_low_95", "from"),
            Column("completeness_high_95", "to"), Column("injected", "Injected"), Column("found", "Of these found"),
        ),
        rows=rows,
        bars=[_bar(f"S/N {range_in_words(start)}", share) for start, share in first.of_ranges.items()] if first else [],
        notes=(f"The chart is of all places together, of {first.person or 'all people'}.",) if first else (empty,),
        full=1.0,
    )  # fmt: skip


def _share(share: Share) -> list[float | int]:
    return [share.value, share.low, share.high, share.whole]


def _kappa(kappa: Kappa | None) -> list[float | None]:
    return [None, None, None] if kappa is None else [kappa.value, kappa.low, kappa.high]


def _bar(label: str, share: Share) -> Bar:
    return Bar(label, share.value, f"{100 * share.value:.0f} % of {share.whole}", share.low, share.high)
