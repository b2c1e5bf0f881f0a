"""Where else something of a detection is: its page, its rows, and its images as files."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from catalog.models import Record
from curation.detections.cutouts import CUTOUTS
from curation.packets.measures import runs_of
from detection.models import Detection
from differencing.models import DifferenceRun


@dataclass(frozen=True, kw_only=True)
class LinkFacts:
    """Paths within this site; null where there is no such thing.

    page : for people. cutouts : by the name of each file. images : of the whole frame, by name.
    """

    page: str
    observation: str
    candidate: str | None
    difference_run: str | None
    source: str | None
    light_curve: str | None
    cutouts: dict[str, str]
    images: dict[str, str]


def links_of(row: Detection) -> LinkFacts:
    """Return the links of a detection, which is as somebody may see it; frame and candidate are loaded."""
    source, difference = row.source, _difference_of(row)
    return LinkFacts(
        page=reverse("curation:detection", args=[row.pk]),
        observation=_row("observations", row.observation_id),
        candidate=_row("candidates", row.candidate_id) if row.candidate_id else None,
        difference_run=_row("difference-runs", difference.pk) if difference else None,
        source=_row("sources", source.pk) if source else None,
        light_curve=reverse("api:sources-light-curve", args=[source.pk]) if source else None,
        cutouts={name: _file("detections", row.pk, name) for name in CUTOUTS} if row.cutouts_path else {},
        images=_images(row),
    )


def _images(row: Detection) -> dict[str, str]:
    run = runs_of([row.observation_id], timezone.now()).get(row.observation_id)
    difference = _difference_of(row)
    places: list[tuple[str, Record | None, str, str]] = [
        ("observations", row.observation, "raw", "fits_file_path"),
        ("preprocess-runs", run, "processed.fits", "processed_fits_path"),
        ("difference-runs", difference, "difference.fits", "difference_image_path"),
        ("difference-runs", difference, "score.fits", "significance_map_path"),
        ("difference-runs", difference, "reference.fits", "reference_aligned_path"),
    ]
    return {name: _file(listed, of.pk, name) for listed, of, name, column in places if of and getattr(of, column)}


def _difference_of(row: Detection) -> DifferenceRun | None:
    return row.candidate.difference_run if row.candidate else None


def _row(listed: str, key: object) -> str:
    return reverse(f"api:{listed}-detail", args=[key])


def _file(listed: str, key: object, name: str) -> str:
    return reverse(f"api:{listed}-file", args=[key, name])
