"""One observation minus its reference: products, candidates, repeats, and reasons."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from astrid_site.night.foreground import run_stage
from catalog.configuration import values
from catalog.configuration.values import set_value
from catalog.failures import FailureCode
from catalog.files import storage
from catalog.models import JobStatus, ProcessingJob, RunStatus
from catalog.people.audit import MACHINE
from differencing import parameters, references
from differencing.models import Candidate, DifferenceRun, Reference
from differencing.pictures import tiles
from differencing.pictures.images import KINDS
from differencing.stage import difference as stage
from differencing.stage import reference as stage_reference
from differencing.stage import registration, stacking
from differencing.stage.reference import wcs_identity
from observations.models import Observation, ObservationStatus
from observations.numerics.fits.mapped import map_images
from observations.numerics.frame import Frame, HeldOut, MaskBit, PsfModel
from preprocessing.models import PreprocessRun
from preprocessing.numerics.psf import PsfError
from preprocessing.products import load_frame
from tests import factories
from tests.keys import keys_named_in

newest_for = PreprocessRun.objects.newest_for

# A source in a bad column is seen in part, one on a masked core not at all.
CLEAR_PX = 6


def difference(observation):
    """Run the stage as the pipeline does; return what the job came to."""
    run_stage("difference", "observation", [(observation.pk, "frame")], lambda line: None)
    observation.refresh_from_db()
    return ProcessingJob.objects.filter(job_type="difference", entity_id=str(observation.pk)).latest("created_at")


def run_of(observation):
    return DifferenceRun.objects.get(observation=observation)


def opened(path):
    return fits.open(storage.open_stored(path), memmap=False)


def injected(night, observation):
    """Yield what changed in a frame, where no pixel nearby is masked in it or in its reference."""
    with opened(run_of(observation).difference_image_path) as hdus:
        mask = hdus["MASK"].data > 0
    for kind in ("transient", "asteroid", "variable"):
        for source in night.sources(observation, kind):
            x, y = round(source["x"]), round(source["y"])
            if not mask[y - CLEAR_PX : y + CLEAR_PX + 1, x - CLEAR_PX : x + CLEAR_PX + 1].any():
                yield source


def nearest(observation, source):
    """Return distance in px and the nearest candidate."""
    return min(
        ((math.hypot(c.pixel_x - source["x"], c.pixel_y - source["y"]), c) for c in observation.candidates.all()),
        key=lambda pair: pair[0],
        default=(math.inf, None),
    )


def test_every_change_is_a_positive_candidate_within_a_pixel_of_its_true_place(night):
    count = 0
    for observation in night.good:
        for source in injected(night, observation):
            distance, candidate = nearest(observation, source)
            assert distance < 1.0, source["name"]
            assert not candidate.is_negative
            assert not candidate.is_reference_ghost
            assert candidate.significance > 5.0
            count += 1
    assert count >= 12, "of 18; the rest lies beside bad pixels"


def test_the_flux_of_a_change_is_recovered_in_the_counts_of_the_frame(night):
    ratio, pulls = [], []
    for observation in night.good:
        for source in injected(night, observation):
            _, candidate = nearest(observation, source)
            ratio.append(candidate.flux / source["change_adu"])
            pulls.append((candidate.flux - source["change_adu"]) / candidate.flux_error)
    # Twelve and more sources of S/N 10 to 40 give the mean to 2 %; the flat and the PSF add as much.
    assert np.median(ratio) == pytest.approx(1.0, abs=0.05)
    assert np.abs(pulls).max() < 6.0


@pytest.mark.parametrize(
    ("loader", "code"), [("load_frame", "psf_of_science_frame"), ("load_reference", "psf_of_reference")]
)
def test_a_psf_that_stars_held_out_of_it_deny_is_a_doubt_of_the_difference(night, monkeypatch, loader, code):
    load = getattr(stage, loader)

    def with_denied_psf(row):
        frame = load(row)
        assert isinstance(frame.psf, PsfModel)
        return replace(frame, psf=replace(frame.psf, held_out=HeldOut(0.3, 0.0, 12)))

    observation = night.good[0]
    assert run_of(observation).doubts == []
    DifferenceRun.objects.filter(observation=observation).update(inputs_hash="f" * 64)
    monkeypatch.setattr(stage, loader, with_denied_psf)
    assert difference(observation).status == JobStatus.COMPLETED
    (doubt,) = DifferenceRun.objects.newest_for(observation).doubts
    assert (doubt["code"], doubt["value"]) == (code, 0.3)


def test_few_candidates_are_not_what_was_injected(night):
    for observation in night.good:
        truth = [s for kind in ("transient", "asteroid", "variable") for s in night.sources(observation, kind)]
        strays = [
            c
            for c in observation.candidates.all()
            # The two halves of a source that a bad column cuts are 2 px from its centre.
            if all(math.hypot(c.pixel_x - s["x"], c.pixel_y - s["y"]) > 4.0 for s in truth)
        ]
        # At 5 sigma noise alone gives one in a megapixel; residuals of bright stars make some more.
        assert len(strays) <= 3


def test_the_sky_position_of_a_candidate_is_that_of_its_pixel(night):
    for observation in night.good:
        wcs = load_frame(newest_for(observation)).wcs
        for candidate in observation.candidates.all():
            x, y = wcs.all_world2pix(candidate.ra, candidate.dec, 0)
            assert math.hypot(x - candidate.pixel_x, y - candidate.pixel_y) < 1e-3


def test_difference_score_and_aligned_reference_are_images_of_the_science_grid_with_its_wcs(night):
    observation = night.good[0]
    run, wcs = run_of(observation), load_frame(newest_for(observation)).wcs
    images = {}
    for name in ("difference_image_path", "significance_map_path", "reference_aligned_path"):
        with opened(getattr(run, name)) as hdus:
            images[name] = np.array(hdus[0].data, dtype=float)
            stored = WCS(hdus[0].header)
        assert images[name].shape == (320, 320)
        # FITS keeps the coefficients to 1e-10 of their size.
        np.testing.assert_allclose(
            stored.all_pix2world([0, 300], [10, 319], 0), wcs.all_pix2world([0, 300], [10, 319], 0), atol=1e-7
        )
    score = images["significance_map_path"]
    quiet = score[np.isfinite(score) & (np.abs(score) < 4.0)]
    # A normal distribution cut at 4 sigma; the field holds real changes and stars.
    assert np.median(quiet) == pytest.approx(0.0, abs=0.1)
    assert 1.4826 * np.median(np.abs(quiet)) == pytest.approx(1.0, abs=0.1)


def test_flux_over_score_is_the_error_that_candidates_have(night):
    run = run_of(night.good[0])
    score = map_images(storage.open_stored(run.significance_map_path))
    with np.errstate(divide="ignore", invalid="ignore"):
        error = score.image("FLUX") / score.image()
    near = []
    for candidate in run.candidates.filter(masked_share=0.0):
        row, column = round(candidate.pixel_y), round(candidate.pixel_x)
        near.append(error[row, column] / candidate.flux_error)
    assert near and near == pytest.approx([1.0] * len(near), abs=0.05)


def test_of_bad_pixels_it_is_kept_which_are_saturated_in_either_frame():
    mask = np.array([[True, True, True, False]])
    science, reference = (
        Frame(np.zeros((1, 4), dtype=np.float32), mask, np.array([bits], dtype=np.uint16))
        for bits in ([MaskBit.SATURATED, MaskBit.COSMIC_RAY, 0, 0], [0, 0, MaskBit.SATURATED, MaskBit.INTERPOLATED])
    )
    bad, saturated = int(MaskBit.BAD), int(MaskBit.BAD | MaskBit.SATURATED)
    assert stage.stored_bits(mask, science, reference).tolist() == [[saturated, bad, saturated, 0]]
    unknown = Frame(np.zeros((1, 4), dtype=np.float32), mask)
    assert stage.stored_bits(mask, unknown, unknown).tolist() == [[bad, bad, bad, 0]]


def test_the_row_says_what_was_done(night):
    for observation in night.good:
        run = run_of(observation)
        assert (run.status, run.algorithm, run.detection_threshold) == (RunStatus.COMPLETED, "zogy", 5.0)
        assert run.candidates_found == observation.candidates.count()
        assert run.matched_stars >= 10
        assert 0.0 < run.registration_rms_px < 0.5
        assert run.noise_rescale == pytest.approx(1.0, abs=0.1)
        assert run.parameters["diagnostics"]["spikes"] >= 0
        assert run.processing_time_seconds > 0
        assert run.parameters["config"]["threshold_sigma"] == 5.0
        assert run.config_hash and run.inputs_hash and run.parameters_hash
        # Two frames of sky 600 ADU at 1.5 e-/ADU with 6 ADU of read noise, the reference a stack of three.
        assert 15.0 < run.noise_level < 40.0


def test_the_run_says_which_algorithm_was_chosen_and_why(night):
    for observation in night.good:
        run = run_of(observation)
        # The frames' own PSFs are good: a fitted kernel would find nothing more.
        assert run.algorithm == "zogy"
        chosen = run.parameters["choice"]
        assert chosen["reason"]
        assert chosen["predicted"]["zogy"]["snr"] > 10.0
        assert chosen["predicted"]["zogy"]["flux"] > 0.0


def test_another_algorithm_is_another_run_that_finds_the_same_changes(night):
    observation = night.good[0]
    before, sources = run_of(observation), list(injected(night, observation))
    set_value("differencing.algorithm", "matched", MACHINE)
    difference(observation)
    after = DifferenceRun.objects.filter(observation=observation).latest("completed_at")
    assert after.pk != before.pk
    assert (after.algorithm, after.parameters["choice"]["reason"]) == ("matched", "set by configuration")
    for source in sources:
        distance, candidate = nearest(observation, source)
        assert distance < 1.0 and not candidate.is_negative
    after.refresh_from_db()
    assert difference(observation).status == JobStatus.COMPLETED
    assert DifferenceRun.objects.filter(observation=observation).count() == 2


def test_a_reference_whose_psf_cannot_be_measured_is_subtracted_by_a_fitted_kernel(night, monkeypatch):
    def too_few(*_, **__):
        raise PsfError("2 usable stars; a PSF needs 3")

    monkeypatch.setattr(stage, "map_psf", lambda *_: None)
    monkeypatch.setattr("differencing.numerics.pair.fit_psf", too_few)
    observation = night.good[0]
    set_value("differencing.threshold_sigma", 5.5, MACHINE)
    assert difference(observation).status == JobStatus.COMPLETED
    run = DifferenceRun.objects.filter(observation=observation).latest("completed_at")
    assert run.algorithm == "matched"
    assert "reference" in run.parameters["choice"]["reason"]
    assert run.parameters["diagnostics"]["psfs_measured"] == 1
    set_value("differencing.algorithm", "zogy", MACHINE)
    assert difference(observation).failure_code == FailureCode.BAD_SUBTRACTION


def test_the_reference_is_the_stack_of_the_earlier_night(night):
    for observation in night.good:
        run = run_of(observation)
        assert set(run.reference.members.all()) == set(night.earlier)
        assert run.reference_observation in night.earlier
    assert Reference.objects.count() == 1


def state(*observations):
    runs = DifferenceRun.objects.filter(observation__in=observations).order_by("pk")
    files = [
        storage.resolve(path).stat().st_ino
        for run in runs
        for path in (run.difference_image_path, run.significance_map_path, run.reference_aligned_path)
    ]
    candidates = Candidate.objects.filter(observation__in=observations).order_by("pk")
    return list(runs.values()), list(candidates.values()), files


def test_a_repeat_with_the_same_inputs_leaves_everything_as_it_is(night):
    before = state(*night.good)
    for observation in night.good:
        assert difference(observation).status == JobStatus.COMPLETED
    assert state(*night.good) == before


def test_another_version_of_the_algorithms_is_another_run_against_another_stack(night, monkeypatch):
    observation = night.good[0]
    before = run_of(observation)
    monkeypatch.setattr("differencing.stage.difference.VERSION", "next")
    difference(observation)
    after = DifferenceRun.objects.filter(observation=observation).latest("created_at")
    assert after.pk != before.pk
    assert after.reference_id == before.reference_id
    monkeypatch.setattr("differencing.stage.reference.VERSION", "next")
    difference(observation)
    after = DifferenceRun.objects.filter(observation=observation).latest("created_at")
    assert after.reference_id != before.reference_id


def test_an_image_that_is_gone_is_made_again_and_the_candidates_keep_their_ids(night):
    observation = night.good[0]
    run = run_of(observation)
    before = {c.pk: (c.pixel_x, c.pixel_y) for c in observation.candidates.all()}
    storage.remove(run.significance_map_path)
    difference(observation)
    assert run_of(observation).pk == run.pk
    assert storage.resolve(run.significance_map_path).is_file()
    assert {c.pk: (c.pixel_x, c.pixel_y) for c in observation.candidates.all()} == before


def test_nobody_waits_for_the_copies_from_which_a_large_image_is_seen_from_afar(night, monkeypatch):
    # The frames of this night are not large.
    monkeypatch.setattr(tiles, "COARSE_LEVEL", 1)
    run = run_of(night.good[0])
    folder = storage.resolve(f"previews/differences/{run.pk}")
    assert not list(folder.glob("coarse-*"))
    storage.remove(run.significance_map_path)
    difference(night.good[0])
    assert sorted(path.name.split("-")[1] for path in folder.glob("coarse-*")) == sorted(KINDS)


def test_another_threshold_is_another_run_whose_candidates_keep_the_ids_of_those_found_again(night):
    observation = night.good[0]
    before = {c.pk: abs(c.significance) for c in observation.candidates.all()}
    limit = sorted(before.values())[len(before) // 2] - 0.01
    set_value("differencing.threshold_sigma", limit, MACHINE)
    difference(observation)
    assert DifferenceRun.objects.filter(observation=observation, status=RunStatus.COMPLETED).count() == 2
    newest = DifferenceRun.objects.filter(observation=observation).latest("completed_at")
    kept = set(newest.candidates.values_list("pk", flat=True))
    assert kept == {pk for pk, significance in before.items() if significance >= limit}
    assert newest.parameters_hash != DifferenceRun.objects.filter(observation=observation).earliest("created_at").pk


def test_a_key_that_differencing_does_not_read_makes_no_second_difference(night):
    observation = night.good[0]
    before = list(DifferenceRun.objects.filter(observation=observation).values())
    set_value("differencing.tracklet_min_members", 4, MACHINE)
    difference(observation)
    assert list(DifferenceRun.objects.filter(observation=observation).values()) == before


def test_differencing_names_the_keys_that_its_hash_covers_and_no_others():
    assert keys_named_in(stage, stage_reference, registration, stacking, references, parameters) == set(stage.READS)


@pytest.fixture
def former_run(night):
    """A row as the former version wrote it: parameters and hash hold the whole group of keys, read or not."""
    run = run_of(night.good[0])
    recorded = {name: run.parameters[name] for name in ("version", "zogy", "measure")}
    recorded["config"] = values.snapshot().group("differencing")
    science = newest_for(run.observation)
    pixels = [run.observation.sha256, science.inputs_hash, wcs_identity(science)]
    text = json.dumps([pixels, run.reference.inputs_hash, recorded], sort_keys=True, default=str)
    DifferenceRun.objects.filter(pk=run.pk).update(
        parameters={**recorded, "diagnostics": run.parameters["diagnostics"]},
        inputs_hash=hashlib.sha256(text.encode()).hexdigest(),
        config_hash="over all keys",
    )
    return run


def test_a_run_that_the_former_version_wrote_counts_as_done(former_run):
    before = list(DifferenceRun.objects.filter(observation=former_run.observation).values())
    set_value("differencing.tracklet_max_rms_arcsec", 2.0, MACHINE)
    difference(former_run.observation)
    assert list(DifferenceRun.objects.filter(observation=former_run.observation).values()) == before


@pytest.mark.parametrize("change", ["threshold", "pixels", "version"])
def test_a_run_that_the_former_version_wrote_is_done_again_where_its_inputs_changed(former_run, monkeypatch, change):
    if change == "threshold":
        set_value("differencing.threshold_sigma", 6.0, MACHINE)
    elif change == "version":
        monkeypatch.setattr("differencing.stage.difference.VERSION", "next")
    else:
        PreprocessRun.objects.filter(observation=former_run.observation).update(inputs_hash="another")
    ended = former_run.completed_at
    difference(former_run.observation)
    assert DifferenceRun.objects.newest_for(former_run.observation).completed_at > ended


def test_a_frame_of_another_sky_has_no_overlap_and_the_reason_is_everywhere(night):
    observation = night.good[0]
    shuffle_stars(observation)
    set_value("differencing.threshold_sigma", 5.5, MACHINE)
    job = difference(observation)
    run = DifferenceRun.objects.filter(observation=observation).latest("updated_at")
    assert job.failure_code == run.failure_code == observation.failure_code == FailureCode.NO_OVERLAP
    assert job.error_message == run.error_message == observation.error_message
    assert run.status == RunStatus.FAILED and run.completed_at is not None
    assert observation.status == ObservationStatus.FAILED
    assert not DifferenceRun.objects.filter(status=RunStatus.RUNNING).exists()


def shuffle_stars(observation):
    """Write the product again with its stars elsewhere, as if the telescope had pointed elsewhere."""
    run = newest_for(observation)
    path = storage.resolve(run.processed_fits_path)
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    with fits.open(path, mode="update") as hdus:
        table = next(hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU))
        rng = np.random.default_rng(5)
        table.data["x"], table.data["y"] = rng.uniform(5, 315, (2, len(table.data)))
    PreprocessRun.objects.filter(pk=run.pk).update(inputs_hash="another")


def test_a_light_without_a_reference_waits_in_an_open_row_and_is_not_failed(night):
    alone = night.good[0]
    Observation.objects.filter(pk=alone.pk).update(filter_band="V")
    job = difference(alone)
    assert job.failure_code == FailureCode.WAITING_FOR_REFERENCE
    waiting = DifferenceRun.objects.get(observation=alone, reference=None)
    assert (waiting.status, waiting.failure_code) == (RunStatus.PENDING, FailureCode.WAITING_FOR_REFERENCE)
    assert waiting.completed_at is None
    assert alone.status != ObservationStatus.FAILED
    assert alone.failure_code == FailureCode.WAITING_FOR_REFERENCE
    assert "Add an earlier night" in alone.error_message


def test_a_first_difference_ends_the_waiting(night):
    alone = night.earlier[0]
    Observation.objects.exclude(pk__in=[o.pk for o in night.earlier]).update(filter_band="V")
    Observation.objects.filter(pk__in=[o.pk for o in night.earlier[1:]]).update(filter_band="V")
    difference(alone)
    assert run_of(alone).status == RunStatus.PENDING
    Observation.objects.update(filter_band="R")
    difference(alone)
    assert run_of(alone).status == RunStatus.COMPLETED
    assert (alone.status, alone.failure_code) == (ObservationStatus.DIFFERENCED, "")


def test_waiting_twice_is_one_row_and_it_ends_when_the_reference_lands(night):
    alone = night.good[0]
    Observation.objects.filter(pk=alone.pk).update(filter_band="V")
    difference(alone)
    difference(alone)
    assert DifferenceRun.objects.filter(observation=alone, status=RunStatus.PENDING).count() == 1
    Observation.objects.filter(pk__in=[o.pk for o in night.earlier]).update(filter_band="V")
    assert difference(alone).status == JobStatus.COMPLETED
    assert (alone.status, alone.failure_code) == (ObservationStatus.DIFFERENCED, "")
    assert not DifferenceRun.objects.filter(observation=alone, status=RunStatus.PENDING).exists()


def test_more_candidates_than_a_good_subtraction_has_fail_the_run(night):
    observation = night.good[0]
    set_value("differencing.max_candidates", 2, MACHINE)
    job = difference(observation)
    assert job.failure_code == observation.failure_code == FailureCode.TOO_MANY_CANDIDATES
    assert "Look at the difference image" in observation.error_message


def test_less_overlap_than_configured_fails_with_the_share(night):
    observation = night.good[0]
    set_value("differencing.min_overlap_share", 1.0, MACHINE)
    assert difference(observation).failure_code == FailureCode.LOW_OVERLAP
    assert "%" in observation.error_message


def test_registration_beyond_the_allowed_scatter_fails_with_both_numbers(night):
    observation = night.good[0]
    set_value("differencing.max_registration_rms_px", 0.05, MACHINE)
    assert difference(observation).failure_code == FailureCode.NO_REGISTRATION
    assert "0.05 px" in observation.error_message


def test_a_reference_file_that_is_gone_fails_with_what_to_do(night):
    observation = night.good[0]
    storage.remove(run_of(observation).reference.file_path)
    set_value("differencing.threshold_sigma", 5.5, MACHINE)
    assert difference(observation).failure_code == FailureCode.FILE_MISSING


def test_a_frame_that_found_no_room_for_its_reference_has_one_run_when_there_is_room(night, monkeypatch):
    observation = night.earlier[0]
    Observation.objects.filter(pk=night.good[0].pk).update(night=observation.night)

    def full(*_):
        raise storage.StorageFull("No room for the stack.")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "write_atomically", full)
        assert difference(observation).failure_code == FailureCode.DISK_FULL
    assert (run_of(observation).status, run_of(observation).reference) == (RunStatus.FAILED, None)
    assert difference(observation).status == JobStatus.COMPLETED
    assert run_of(observation).status == RunStatus.COMPLETED


def test_a_promoted_reference_is_used_and_named(night):
    observation, member = night.good[0], night.earlier[1]
    reference = factories.ReferenceFactory(
        field=night.field, filter_band=observation.filter_band, version=7, best_member=member,
        file_path=newest_for(member).processed_fits_path,
    )  # fmt: skip
    reference.members.set([member])
    references.promote_reference(reference, MACHINE)
    difference(observation)
    newest = DifferenceRun.objects.filter(observation=observation).latest("completed_at")
    assert (newest.reference, newest.reference_observation) == (reference, member)


def test_the_first_stack_of_earlier_nights_is_promoted_by_itself_and_describes_itself(night):
    reference = Reference.objects.get()
    assert (reference.is_active, reference.is_automatic, reference.version) == (True, True, 1)
    times = [row.mjd_utc for row in night.earlier]
    assert (reference.first_mjd_utc, reference.last_mjd_utc) == (min(times), max(times))
    assert reference.frame_count == 3
    assert reference.depth_mag is None or reference.depth_mag > max(
        newest_for(row).limiting_magnitude or 0.0 for row in night.earlier
    )
    choice = references.choose_reference(night.good[0], values.snapshot())
    stored = stage_reference.load_reference(stage_reference.made_reference(choice, values.snapshot()))
    widths = [float(newest_for(row).fwhm_px or "nan") for row in night.earlier]
    assert min(widths) < stored.stars.fwhm_px == reference.fwhm_px < 1.05 * max(widths)
    stamp = stored.psf(160.0, 160.0)
    assert stamp.sum() == pytest.approx(1.0) and len(stored.stars) > 30


def test_a_member_that_is_processed_anew_makes_the_first_reference_anew_under_a_new_version(night):
    PreprocessRun.objects.filter(observation=night.earlier[0]).update(inputs_hash="with another flat")
    observation = night.good[0]
    difference(observation)
    newest = DifferenceRun.objects.filter(observation=observation).latest("completed_at")
    assert (newest.reference.version, newest.reference.is_active) == (2, True)
    assert set(newest.reference.members.all()) == set(night.earlier)
    assert list(Reference.objects.filter(is_active=True)) == [newest.reference]


def test_a_new_version_is_made_when_ordered_and_used_when_promoted_also_for_what_was_compared_before(night):
    first = Reference.objects.get()
    # A later night gives reason for a deeper reference.
    Observation.objects.filter(pk=night.good[-1].pk).update(night=night.good[0].night + dt.timedelta(days=40))
    references.order_new_reference(first, MACHINE)
    run_stage("reference", "reference", [(first.pk, "first")], lambda line: None)
    new = Reference.objects.exclude(pk=first.pk).get()
    assert (new.version, new.is_active, first.is_active) == (2, False, True)
    assert set(new.members.all()) == {*night.earlier, *night.good[:-1]}
    assert new.frame_count == 5
    assert not ProcessingJob.objects.filter(job_type="difference", status=JobStatus.PENDING).exists()
    references.promote_reference(new, MACHINE)
    again = ProcessingJob.objects.filter(job_type="difference", status=JobStatus.PENDING)
    # The others' night is in it.
    assert [job.entity_id for job in again] == [str(night.good[-1].pk)]
    assert again.get().priority < 0
    difference(night.good[-1])
    assert DifferenceRun.objects.newest_for(night.good[-1]).reference == new


def test_within_one_night_each_frame_is_compared_with_a_stack_of_the_others(night):
    science = night.earlier[0]
    extra = night.good[0]
    Observation.objects.filter(pk=extra.pk).update(night=science.night)
    difference(science)
    run = run_of(science)
    assert run.status == RunStatus.COMPLETED
    assert set(run.reference.members.all()) == {*night.earlier[1:], extra}
    assert run.reference.version == 2
    # What was new in the later frame alone is rejected from the stack, and leaves no ghosts.
    assert run.candidates.filter(is_negative=True, significance__lt=-14.0).count() == 0
