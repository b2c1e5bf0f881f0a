"""Known places are measured in every difference that shows them, and again when that has changed."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from django.utils import timezone

from catalog.configuration.values import set_value
from catalog.files import storage
from catalog.people.audit import MACHINE
from catalog.work import jobs
from detection.models import Detection, ForcedPhotometry, Source
from detection.stage import forced, forced_backlog
from detection.stage.forced_pixels import rows_of as rows_of_work
from differencing.ids import field_night
from differencing.models import DifferenceRun, Tracklet
from observations.models import Observation, Telescope
from observations.numerics.barycentre import Place, bjd_tdb
from observations.numerics.fits.mapped import map_images
from observations.numerics.fits.products import encode_image
from preprocessing.models import PreprocessRun
from tests.factories import FieldFactory
from tests.nights import Night


def measure(night: Night) -> None:
    forced.run(field_night(night.field.pk, night.good[0].night))


def source_of(night: Night, kind: str, which: int = 0) -> tuple[Source, dict[str, float]]:
    """Return a source that was detected, of one kind, with its change of flux by frame."""
    truth = {frame.original_name: night.sources(frame, kind)[which] for frame in night.good}
    frame = night.good[0]
    x, y = (truth[frame.original_name][axis] for axis in "xy")
    found = Detection.objects.filter(observation=frame, source__isnull=False)
    row = min(found, key=lambda row: np.hypot(row.pixel_x - x, row.pixel_y - y))
    assert row.source is not None and np.hypot(row.pixel_x - x, row.pixel_y - y) < 1.5
    return row.source, {name: entry["change_adu"] for name, entry in truth.items()}


def rows_of(source: Source) -> dict[str, ForcedPhotometry]:
    return {row.observation.original_name: row for row in source.forced_photometry.select_related("observation")}


def test_the_night_measures_every_source_in_every_frame(night):
    rows = ForcedPhotometry.objects.filter(source__isnull=False)
    assert {(row.source_id, row.observation_id) for row in rows} == {
        (source.pk, frame.pk) for source in Source.objects.all() for frame in night.good
    }
    for row in rows.select_related("difference_run", "observation"):
        assert row.difference_run == DifferenceRun.objects.newest_for(row.observation)
        assert row.reference_id == row.difference_run.reference_id
        if row.limiting_flux is not None:
            assert row.limiting_flux == pytest.approx(5.0 * row.flux_error)


def test_fluxes_are_the_true_ones_within_their_errors(night):
    pulls = []
    for which in range(4):
        source, truth = source_of(night, "transient", which)
        for name, row in rows_of(source).items():
            if row.flux is not None:
                pulls.append((row.flux - truth[name]) / row.flux_error)
    assert len(pulls) >= 8
    # Twelve pulls of four sources, with one flux scale a frame: each holds within 4 sigma, and their mean within 1.5.
    assert np.abs(pulls).max() < 4.0
    assert abs(np.mean(pulls)) < 1.5


def test_a_star_that_varies_has_its_total_flux_and_a_new_source_has_none(night):
    variable, _ = source_of(night, "variable")
    assert all(row.total_flux > row.flux for row in rows_of(variable).values() if row.flux is not None)
    assert any(row.flux is not None for row in rows_of(variable).values())


def as_a_night_of_its_own(night: Night) -> tuple[str, set[tuple[UUID, UUID]], set[tuple[UUID, UUID]]]:
    """Move the last frame to another night; return its key, what is to be measured in it, and what in the others."""
    ForcedPhotometry.objects.all().delete()
    *others, later = night.good
    new_night = later.night.replace(year=later.night.year + 1)
    Observation.objects.filter(pk=later.pk).update(night=new_night)
    of_later = Source.objects.filter(detections__observation=later).distinct()
    own = {(source.pk, later.pk) for source in Source.objects.all()}
    return field_night(night.field.pk, new_night), own, {(s.pk, frame.pk) for s in of_later for frame in others}


def measured() -> set[tuple[UUID, UUID]]:
    return set(ForcedPhotometry.objects.values_list("source", "observation"))


def test_a_source_is_measured_in_frames_of_earlier_nights_as_well(night):
    key, own, others = as_a_night_of_its_own(night)
    forced.run(key)
    assert measured() == own | others


def test_no_run_opens_more_differences_of_other_nights_than_are_configured_the_latest_first(night, monkeypatch):
    set_value("detection.forced_differences_at_once", 1, MACHINE)
    key, own, others = as_a_night_of_its_own(night)
    opened = []

    def opening(work):
        opened.append(work.run.observation_id)
        return rows_of_work(work)

    monkeypatch.setattr(forced, "rows_of", opening)
    first, second = (frame.pk for frame in night.good[:2])
    forced.run(key)
    assert opened == [night.good[2].pk, second]
    assert measured() == own | {(source, frame) for source, frame in others if frame == second}
    for expected in ([first], []):
        del opened[:]
        forced_backlog.run(key)
        assert opened == expected
    assert measured() == own | others


def test_jobs_go_on_by_themselves_until_all_differences_of_other_nights_are_measured(night):
    set_value("detection.forced_differences_at_once", 1, MACHINE)
    key, own, others = as_a_night_of_its_own(night)
    jobs.enqueue("forced", "field_night", key)
    done = []
    while (job := jobs.claim_next(["forced", "forced_backlog"], "me")) is not None:
        jobs.do(job)
        done.append(job.job_type)
        assert len(done) < 9, "it never ends"
    # One other difference with the night's own, one by itself.
    assert done == ["forced", "forced_backlog"]
    assert measured() == own | others


def test_a_repeat_changes_nothing(night):
    before = list(ForcedPhotometry.objects.order_by("pk").values())
    measure(night)
    assert list(ForcedPhotometry.objects.order_by("pk").values()) == before


def test_what_is_compared_or_calibrated_anew_is_measured_anew_in_the_same_row(night):
    frame, other = night.good[:2]
    before = dict(ForcedPhotometry.objects.values_list("pk", "updated_at"))
    DifferenceRun.objects.filter(observation=frame).update(completed_at=timezone.now())
    PreprocessRun.objects.filter(observation=other).update(zero_point_mag=25.0, zero_point_system="AB")
    measure(night)
    after = {row.pk: row for row in ForcedPhotometry.objects.all()}
    assert after.keys() == before.keys()
    changed = {row.observation_id for key, row in after.items() if row.updated_at != before[key]}
    assert changed == {frame.pk, other.pk}
    assert {row.zero_point_mag for row in after.values() if row.observation_id == other.pk} == {25.0}


def test_a_source_that_turns_out_to_be_elsewhere_is_measured_there(night):
    source, _ = source_of(night, "transient")
    near, far = source.dec + 0.5 * source.position_error_arcsec / 3600.0, source.dec + 20.0 / 3600.0
    for dec, expected in ((near, source.dec), (far, far)):
        moved = Source.objects.get(pk=source.pk)
        moved.dec = dec
        moved.save()
        measure(night)
        assert {row.dec for row in rows_of(source).values()} == {expected}


def test_against_another_reference_there_is_another_row(night):
    frame = night.good[0]
    run = DifferenceRun.objects.newest_for(frame)
    count = ForcedPhotometry.objects.filter(observation=frame).count()
    other = run.reference
    other.pk, other.version, other.inputs_hash, other.is_active = None, other.version + 100, "f" * 64, False
    other.save(force_insert=True)
    run.pk, run.reference, run.completed_at = None, other, timezone.now()
    run.save(force_insert=True)
    measure(night)
    rows = ForcedPhotometry.objects.filter(observation=frame)
    assert rows.count() == 2 * count
    assert {row.reference_id for row in rows.filter(source__isnull=False).newest_of_each()} == {other.pk}


def test_where_the_images_are_gone_or_from_an_earlier_version_that_is_the_reason(night):
    frame, old = night.good[:2]
    run, earlier = (DifferenceRun.objects.newest_for(one) for one in (frame, old))
    storage.open_stored(run.difference_image_path).unlink()
    score = map_images(storage.open_stored(earlier.significance_map_path))
    storage.write_atomically(earlier.significance_map_path, encode_image(score.image(), wcs=score.wcs()))
    ForcedPhotometry.objects.all().delete()
    measure(night)
    reasons = dict(ForcedPhotometry.objects.filter(source__isnull=False).values_list("observation", "reason"))
    assert reasons[frame.pk] == reasons[old.pk] == "no_difference"
    assert reasons[night.good[2].pk] != "no_difference"


def test_what_moves_is_measured_where_it_should_be_in_frames_that_missed_it(night):
    tracklet = Tracklet.objects.get()
    missed = night.good[1]
    tracklet.members.remove(*tracklet.members.filter(observation=missed))
    measure(night)
    (row,) = ForcedPhotometry.objects.filter(tracklet=tracklet)
    (truth,) = night.sources(missed, "asteroid")
    assert row.observation == missed
    assert row.source is None
    # It was detected there in truth: the flux at its predicted place is its own.
    assert row.flux / row.flux_error > 5.0
    assert row.flux == pytest.approx(truth["change_adu"], abs=4.0 * row.flux_error)
    tracklet.delete()
    assert not ForcedPhotometry.objects.filter(pk=row.pk).exists()


def test_what_only_the_sum_of_the_frames_shows_is_measured_in_each(night):
    linked = Tracklet.objects.get()
    places = [
        {"ra": m.ra, "dec": m.dec, "mjd_utc": m.observation.mjd_utc}
        for m in linked.members.select_related("observation")
    ]
    motion = {"rate_arcsec_per_min": linked.rate_arcsec_per_min, "stack_score": 30.0}
    stacked = Tracklet.objects.create(field=night.field, night=linked.night, kind="stacked", positions=places, **motion)
    nowhere = Tracklet.objects.create(field=night.field, night=linked.night, kind="stacked", **motion)
    measure(night)
    rows = {row.observation_id: row for row in ForcedPhotometry.objects.filter(tracklet=stacked)}
    assert rows.keys() == {frame.pk for frame in night.good}
    for frame in night.good:
        (truth,) = night.sources(frame, "asteroid")
        row = rows[frame.pk]
        assert row.flux == pytest.approx(truth["change_adu"], abs=4.0 * row.flux_error)
    assert not ForcedPhotometry.objects.filter(tracklet=nowhere).exists()


def test_a_predicted_place_is_no_better_known_than_the_positions_that_it_rests_on(night):
    tracklet = Tracklet.objects.get()
    missed = night.good[1]
    tracklet.members.remove(*tracklet.members.filter(observation=missed))
    Tracklet.objects.update(rms_arcsec=0.0)
    measure(night)
    (row,) = ForcedPhotometry.objects.filter(tracklet=tracklet)
    errors = [m.position_error_px * m.observation.pixel_scale for m in tracklet.members.select_related("observation")]
    # Between two positions: their mean, at least.
    assert row.position_error_arcsec >= 0.99 * np.mean(errors) / np.sqrt(2.0)


def test_times_are_barycentric_from_the_site_where_it_is_known(night):
    row = ForcedPhotometry.objects.select_related("observation__telescope").first()
    site = row.observation.telescope
    place = Place(site.latitude_deg, site.longitude_deg, site.height_m or 0.0)
    ra, dec = np.array([row.ra]), np.array([row.dec])
    assert row.bjd_tdb == bjd_tdb(row.mjd_utc, ra, dec, place)[0]
    assert not row.is_geocentric
    Telescope.objects.update(latitude_deg=None)
    ForcedPhotometry.objects.all().delete()
    measure(night)
    row = ForcedPhotometry.objects.get(source=row.source, observation=row.observation)
    assert row.is_geocentric
    assert row.bjd_tdb == bjd_tdb(row.mjd_utc, ra, dec, None)[0]


def test_nominal_and_solved_positions_are_not_mixed(night):
    ForcedPhotometry.objects.all().delete()
    source, _ = source_of(night, "transient")
    Source.objects.filter(pk=source.pk).update(wcs_quality="nominal")
    nominal, solved = night.good[0], night.good[1:]
    Observation.objects.filter(pk=nominal.pk).update(wcs_quality="nominal")
    measure(night)
    assert [row.observation for row in rows_of(source).values()] == [nominal]
    others = ForcedPhotometry.objects.exclude(source=source).filter(source__isnull=False)
    assert set(others.values_list("observation", flat=True)) == {frame.pk for frame in solved}
    # In another field a nominal position means nothing.
    ForcedPhotometry.objects.all().delete()
    field = night.field
    Observation.objects.filter(pk=nominal.pk).update(field=FieldFactory(ra=field.ra, dec=field.dec))
    forced.run(field_night(field.pk, nominal.night))
    assert not source.forced_photometry.exists()


def test_measurements_of_images_that_were_replaced_meanwhile_are_not_kept(night, monkeypatch):
    ForcedPhotometry.objects.all().delete()

    def slowly(work):
        rows = rows_of_work(work)
        DifferenceRun.objects.filter(pk=work.run.pk).update(completed_at=timezone.now())
        return rows

    monkeypatch.setattr(forced, "rows_of", slowly)
    measure(night)
    assert not ForcedPhotometry.objects.exists()


def test_each_file_is_read_once_however_many_sources_there_are(night, monkeypatch):
    ForcedPhotometry.objects.all().delete()
    opened = []
    real = storage.open_stored

    def open_stored(path):
        opened.append(path)
        return real(path)

    monkeypatch.setattr(storage, "open_stored", open_stored)
    measure(night)
    assert Source.objects.count() > 5
    assert len(opened) == len(set(opened)) == 4 * len(night.good)


def test_the_job_of_a_night_is_done_by_its_stage(night):
    job = jobs.enqueue("forced", "field_night", field_night(night.field.pk, night.good[0].night))
    ForcedPhotometry.objects.all().delete()
    jobs.do(jobs.claim(job, "me"))
    job.refresh_from_db()
    assert job.status == "completed"
    assert ForcedPhotometry.objects.exists()
