"""Injected sources are what they say, and come again from the same keys."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from astrid_site.night import inject as stage
from astrid_site.night import stages
from catalog.configuration.values import set_value
from catalog.files import storage
from catalog.models import ProcessingJob
from catalog.people.audit import MACHINE
from curation.models import Alert, GoldItem, InjectedKind
from detection.models import CandidateScore, Detection, ForcedPhotometry, ModelRun, Source
from detection.numerics.injection import Kind
from detection.numerics.stamps import cut_stamps
from differencing.ids import field_night
from differencing.models import Candidate, DifferenceRun, Tracklet
from observations.models import Observation
from observations.numerics.fits.mapped import map_images
from tests.nights import Night

Facts = list[tuple[str, float, float, float, float]]


@pytest.fixture
def one_frame(night: Night) -> Observation:
    """Leave one frame to inject into: each costs a subtraction."""
    set_value("curation.fake_share", 0.5, MACHINE)
    frame = night.good[0]
    ModelRun.objects.exclude(observation=frame).update(
        status="failed", failure_code="internal_error", error_message="x"
    )
    return frame


def inject(frame: Observation) -> list[GoldItem]:
    assert frame.field is not None
    stage.run(field_night(frame.field.pk, frame.night))
    return list(GoldItem.objects.select_related("detection__candidate__difference_run").order_by("injected_flux"))


def facts(items: list[GoldItem]) -> Facts:
    return [
        (i.kind, i.injected_snr or 0.0, i.injected_flux or 0.0, i.detection.pixel_x, i.detection.confidence_score)
        for i in items
    ]


def science_rows() -> list[int]:
    rows = (
        Candidate,
        Detection,
        CandidateScore,
        Source,
        ForcedPhotometry,
        Tracklet,
        Alert,
        ProcessingJob,
        DifferenceRun,
    )
    return [model.objects.count() for model in rows]


def test_injected_sources_are_what_they_say(one_frame, monkeypatch):
    monkeypatch.setattr(stage, "_wanted", lambda row, share: 4)
    before = science_rows()
    items = inject(one_frame)
    assert 2 <= len(items) <= 4
    assert science_rows() == before, "nothing that is science was made"
    shares, pulls = [], []
    for item in items:
        row, candidate = item.detection, item.detection.candidate
        assert candidate is not None and row.is_injected and candidate.is_injected
        assert (row.status, row.origin, row.source_id, item.is_valid) == ("pending", "pipeline", None, True)
        shares.append(recovered(item) / item.injected_flux)
        pulls.append((candidate.flux - item.injected_flux) / candidate.flux_error)
        # The S/N is the detections' own: flux over an error with the source's noise.
        assert candidate.snr == pytest.approx(candidate.flux / candidate.flux_error)
        assert item.injected_flux / candidate.flux_error == pytest.approx(item.injected_snr, rel=0.15)
        assert row.confidence_score >= 0.5 and not candidate.is_negative
        assert len(item.history) == 2, "its place is measured in the night's other frames"
    # Photon noise of a few thousand electrons is 1 to 3 %; another subtraction moves the sky by as much.
    assert np.abs(np.array(shares) - 1.0).max() < 0.1 and abs(np.mean(shares) - 1.0) < 0.04, shares
    assert np.abs(pulls).max() < 4.0
    again = facts(items)
    assert facts(inject(one_frame)) == again and GoldItem.objects.count() == len(items), "a repeat does nothing"
    for item in items:
        item.delete()
        item.detection.delete()
    assert [kind for kind, *_ in facts(inject(one_frame))] == [kind for kind, *_ in again]
    assert np.allclose([numbers for _, *numbers in facts(inject(one_frame))], [numbers for _, *numbers in again])


def recovered(item: GoldItem) -> float:
    """Return the flux that the stored cutout of the difference holds beyond the difference without the source."""
    row, run = item.detection, item.detection.candidate.difference_run
    cutout = np.load(storage.open_stored(row.cutouts_path))
    images = map_images(storage.open_stored(run.difference_image_path))
    plane, mask = images.plane(), images.mask()
    [without] = cut_stamps(plane, plane, plane, mask, ([row.pixel_x], [row.pixel_y]))
    added = cutout[2] - without[2]
    v, u = np.mgrid[-31:32, -31:32]
    near, around = np.hypot(u, v) <= 10.0, (np.hypot(u, v) > 14.0) & (np.hypot(u, v) < 25.0)
    return float((added[near] - np.nanmedian(added[around])).sum())


@pytest.mark.parametrize("lack", ["gain", "share", "another configuration", "files"])
def test_none_is_made_where_a_frame_cannot_carry_one(one_frame, monkeypatch, lack):
    monkeypatch.setattr(stage, "_wanted", lambda row, share: 4)
    difference = DifferenceRun.objects.newest_for(one_frame)
    if lack == "gain":
        monkeypatch.setattr("astrid_site.night.injection.draw_sources", lambda *_: [])
    elif lack == "share":
        set_value("curation.fake_share", 0.0, MACHINE)
    elif lack == "another configuration":
        set_value("differencing.threshold_sigma", 6.0, MACHINE)
    else:
        storage.remove(difference.significance_map_path)
    assert inject(one_frame) == []
    assert not Detection.with_injected.filter(is_injected=True).exists()


def test_on_the_mean_a_frame_gets_its_share_several_at_once(one_frame, monkeypatch):
    run = ModelRun.objects.get(observation=one_frame, status="completed")
    shown = Detection.objects.filter(model_run=run).count()
    seeds = iter(range(4000))
    monkeypatch.setattr(stage, "seed_of", lambda _: next(seeds))
    drawn = [stage._wanted(run, 0.1) for _ in range(4000)]
    assert set(drawn) <= {0, 4}
    # Of 4000 frames one in seven or so: within 3 sigma.
    assert np.mean(drawn) == pytest.approx(0.1 * shown, rel=0.15)


def test_a_night_is_ordered_only_where_a_share_is_set(night):
    job = ProcessingJob(job_type="tracklets", entity_id=field_night(night.field.pk, night.good[0].night))

    def ordered() -> Iterator[str]:
        return (order[0] for order in stages._after_tracklets(job))

    assert "inject" not in set(ordered())
    set_value("curation.fake_share", 0.1, MACHINE)
    assert "inject" in set(ordered())


def test_the_kinds_of_places_are_those_that_are_told():
    assert [kind.value for kind in InjectedKind] == [kind.value for kind in Kind]
