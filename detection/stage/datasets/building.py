"""Making a data set: origins are gathered, divided so that nothing is on both sides, looked over, and written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from catalog.failures import StageFailure
from catalog.people import audit
from detection.models import DataSet
from detection.numerics.gathered import MOST_WEIGHT, Gathered, together
from detection.numerics.parts import LEFT_OUT, PARTS, TEST, Division, components, divided
from detection.numerics.suspects import features, out_of_fold, suspects
from detection.registry.weights import ensure_default_model, weights_path
from detection.stage.datasets import origins
from detection.stage.datasets.origins import Origin, Say
from detection.stage.datasets.stored import DataSetRefused, find, read, write

_NORMALISATION = "each image less its median, in units of its 1.4826 MAD, as float16; the mask as it is"
_MOST_SUSPECTS = 200


@dataclass(frozen=True)
class Recipe:
    """What a data set is made of. include : NAME:VERSION of others, whose examples keep their origins.

    is_golden : models are measured by all of it, and compared on it before one is put to use.
    """

    name: str
    version: str
    simulated_pairs: int = 0
    seed: int = 1
    truth: tuple[Path, ...] = ()
    labels: tuple[Path, ...] = ()
    imported: tuple[Path, ...] = ()
    include: tuple[str, ...] = ()
    with_injected: bool = False
    held_out_nights: tuple[str, ...] = ()
    is_golden: bool = False


def build(recipe: Recipe, say: Say, actor: audit.Actor = audit.MACHINE) -> DataSet:
    """Make a data set as a recipe says. Raises DataSetRefused: nothing is written then."""
    if DataSet.objects.filter(name=recipe.name, version=recipe.version).exists():
        raise DataSetRefused(
            f"{recipe.name}:{recipe.version} is there already, and a data set never changes: give another version"
        )
    try:
        found = list(_origins(recipe, say))
        whole = together([origin.examples for origin in found if origin.examples is not None])
        whole = _once(whole)
        division = Division(seed=recipe.seed, held_out_nights=recipe.held_out_nights)
        parted = whole.divided(np.full(len(whole), TEST)) if recipe.is_golden else divided(whole, division)
    except ValueError as refusal:
        raise DataSetRefused(f"{recipe.name}:{recipe.version} cannot be made: {refusal}") from refusal
    kept = parted.select(parted.part != LEFT_OUT)
    manifest = manifest_of(kept, [origin.told for origin in found])
    manifest["divided_by"] = asdict(division)
    manifest["seen_elsewhere_and_left_out"] = len(parted) - len(kept)
    manifest["suspects"] = list(_suspects(kept, say))
    return write(kept, recipe.name, recipe.version, manifest, is_golden=recipe.is_golden, actor=actor)


def _origins(recipe: Recipe, say: Say) -> Iterator[Origin]:
    if recipe.simulated_pairs:
        yield origins.simulated(recipe.simulated_pairs, recipe.seed, say)
    yield from (_included(asked) for asked in recipe.include)
    yield from (origins.by_truth(path) for path in recipe.truth)
    yield from (origins.imported(path) for path in recipe.imported)
    if recipe.with_injected:
        yield origins.injected()
    # Last, and so what counts of a detection that was known before: people may have changed their minds.
    yield from (origins.answers(path) for path in recipe.labels)


def _included(asked: str) -> Origin:
    row = find(asked)
    return Origin(read(row), {"origin": "data set", "name": row.name, "version": row.version, "sha256": row.sha256,
                              "examples": row.example_count, "from": row.manifest["origins"]})  # fmt: skip


def _once(whole: Gathered) -> Gathered:
    """Keep what is known of one detection or candidate once: what was gathered last says what it is."""
    last = {key: place for place, key in enumerate(whole.key.tolist()) if key}
    return whole.select(np.array([not key or last[key] == k for k, key in enumerate(whole.key.tolist())], dtype=bool))


def manifest_of(of: Gathered, told: list[dict[str, object]]) -> dict[str, object]:
    """Return what a data set is made of, and how it is divided."""
    examples = of.examples
    _, count = np.unique(components(of.source, of.night, examples.group), return_counts=True)
    return {
        "examples": len(of),
        "real": int(examples.is_real.sum()),
        "cutout": {"shape": list(examples.stamps.shape[1:]), "type": str(examples.stamps.dtype)},
        "normalisation": _NORMALISATION,
        "origins": told,
        "kinds": {
            name: dict(sorted(Counter(examples.kind[of.origin == name].tolist()).items()))
            for name in np.unique(of.origin).tolist()
        },
        "cameras": dict(sorted(Counter(of.camera.tolist()).items())),
        "division": {"independent_groups": len(count), "largest_group": int(count.max())},
        "parts": {name: _part(of.select(of.part == name)) for name in PARTS},
        "weights": f"1 / probability of having been drawn for review, {MOST_WEIGHT:g} at most",
        "suspects": [],
    }


def _part(of: Gathered) -> dict[str, object]:
    def how_many(column: np.ndarray[tuple[int, ...], np.dtype[np.str_]]) -> int:
        return len(set(column.tolist()) - {""})

    return {
        "examples": len(of),
        "real": int(of.examples.is_real.sum()),
        "exposures": how_many(of.examples.group),
        "nights": how_many(of.night),
        "sources": how_many(of.source),
        "origins": dict(sorted(Counter(of.origin.tolist()).items())),
    }


def _suspects(of: Gathered, say: Say) -> Iterator[dict[str, object]]:
    """Yield those of people's answers whose label the rest of the data contradicts most, for another look."""
    is_answer = of.origin == origins.ANSWERS
    if not is_answer.any():
        return
    say(f"looking for wrong labels among {int(is_answer.sum())} answers")
    try:
        weights = weights_path(ensure_default_model())
    except StageFailure as failure:
        raise DataSetRefused(f"wrong labels cannot be looked for: {failure.sentence}") from failure
    groups = components(of.source, of.night, of.examples.group)
    scores = out_of_fold(features(of.examples, weights), of.examples.is_real, groups)
    found = [(place, score) for place, score in suspects(scores, of.examples.is_real) if is_answer[place]]
    for place, score in found[:_MOST_SUSPECTS]:
        yield {
            "detection": str(of.key[place]), "is_real": bool(of.examples.is_real[place]),
            "label": str(of.examples.kind[place]), "score": round(score, 4),
        }  # fmt: skip
