"""A survey's image as the reference: brought to the frames' pixels, tied by their stars, and doubted."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from astrid_site.night.foreground import run_stage
from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.models import JobStatus, ProcessingJob, RunStatus
from catalog.people.audit import MACHINE
from differencing.models import DifferenceRun, Reference
from differencing.references import promote_reference
from differencing.stage.given import Serves, give_reference
from observations.numerics.fits.products import decode_frame
from observations.numerics.fits.synthetic import field_wcs
from observations.numerics.simulate.nights import stars_of
from observations.numerics.simulate.star_catalog import catalog_lines
from tests.nights import PARAMETERS
from tests.surveys import write_panstarrs


@pytest.fixture
def cutout(tmp_path_factory):
    return write_panstarrs(tmp_path_factory.mktemp("survey") / "ps1.fits", PARAMETERS)


def give(night, cutout, **how):
    return give_reference(cutout, Serves(night.field, "R"), MACHINE, **how)


def test_it_is_kept_in_the_pixels_of_the_frames_with_its_psf_and_what_its_header_says(night, cutout):
    row = give(night, cutout)
    assert (row.origin, row.survey_name, row.delivered_band) == ("given", "Pan-STARRS", "r")
    assert (row.original_name, row.best_member, row.frame_count) == ("ps1.fits", None, 0)
    assert row.first_mjd_utc == row.last_mjd_utc == pytest.approx(55900.5, abs=0.02)
    frame = decode_frame(storage.open_stored(row.file_path))
    assert frame.pixel_scale_arcsec == pytest.approx(1.2)
    assert frame.psf(200.0, 200.0).sum() == pytest.approx(1.0) and len(frame.stars) > 40
    # 1.2 arcsec would be one pixel: it is widened to what these pixels can hold.
    assert 2.3 < row.fwhm_px < 2.9
    assert row.depth_mag is not None


def test_a_star_has_the_counts_that_the_survey_gave_it(night, cutout):
    frame = decode_frame(storage.open_stored(give(night, cutout).file_path))
    x, y, electrons = stars_of(PARAMETERS)
    sx, sy = frame.wcs.all_world2pix(*field_wcs(PARAMETERS).all_pix2world(x, y, 0), 0)
    ratio = []
    for k in np.flatnonzero((electrons > 2e4) & (electrons < 1e6)):
        distance = np.hypot(frame.stars.x - sx[k], frame.stars.y - sy[k])
        if distance.min() < 0.3 and frame.stars.is_isolated[distance.argmin()]:
            ratio.append(frame.stars.flux[distance.argmin()] / (0.2 * electrons[k]))
    assert len(ratio) > 10
    assert np.median(ratio) == pytest.approx(1.0, abs=0.02)


def test_it_waits_to_be_promoted_where_there_is_a_reference_and_is_the_same_row_again(night, cutout):
    first = Reference.objects.get()
    row = give(night, cutout)
    assert (row.is_active, row.version) == (False, first.version + 1)
    assert give(night, cutout).pk == row.pk and Reference.objects.count() == 2
    assert give(night, cutout, is_promoted=True).is_active
    assert not Reference.objects.get(pk=first.pk).is_active


def test_what_changed_stands_out_against_it_and_the_run_says_what_is_in_doubt(night, cutout):
    observation = night.good[0]
    row = promote_reference(give(night, cutout), MACHINE)
    again = ProcessingJob.objects.filter(job_type="difference", status=JobStatus.PENDING)
    assert str(observation.pk) in again.values_list("entity_id", flat=True)
    run_stage("difference", "observation", [(observation.pk, "frame")], lambda line: None)
    run = DifferenceRun.objects.filter(observation=observation).latest("completed_at")
    assert (run.status, run.reference, run.reference_observation) == (RunStatus.COMPLETED, row, None)
    found = list(run.candidates.filter(is_negative=False))
    new = [s for s in night.sources(observation, "transient") if not s["is_on_host"]]
    assert len(new) == 2
    for source in new:
        candidate = min(found, key=lambda c: math.hypot(c.pixel_x - source["x"], c.pixel_y - source["y"]))
        assert math.hypot(candidate.pixel_x - source["x"], candidate.pixel_y - source["y"]) < 1.0
        assert candidate.flux == pytest.approx(source["change_adu"], rel=0.15)
    doubts = {doubt["code"]: doubt for doubt in run.doubts}
    assert set(doubts) == {"reference_of_another_telescope", "reference_in_another_band"}
    assert doubts["reference_in_another_band"]["value"] == "r"
    assert "in R" in doubts["reference_in_another_band"]["message"]


def test_the_colour_term_is_measured_where_the_star_catalogue_has_two_bands(night, tmp_path_factory, settings):
    folder = tmp_path_factory.mktemp("coloured")
    (folder / "stars.csv").write_text("\n".join(catalog_lines(PARAMETERS)))
    settings.ASTRID_STAR_CATALOG = str(folder / "stars.csv")
    observation = night.good[0]
    promote_reference(give(night, write_panstarrs(folder / "ps1.fits", PARAMETERS, colour_slope=0.4)), MACHINE)
    run_stage("difference", "observation", [(observation.pk, "frame")], lambda line: None)
    run = DifferenceRun.objects.filter(observation=observation).latest("completed_at")
    (doubt,) = [doubt for doubt in run.doubts if doubt["code"] == "reference_colour_term"]
    # The catalogue's first band is R, its second V; its errors of some hundredths flatten the slope.
    assert doubt["value"] == pytest.approx(-0.4, abs=0.12)
    assert "R - V" in doubt["message"] and doubt["blocks_publication"]


def test_a_stack_of_own_frames_is_not_doubted(night):
    assert DifferenceRun.objects.get(observation=night.good[0]).doubts == []


def test_an_image_of_another_part_of_the_sky_cannot_serve(night, tmp_path_factory):
    path = tmp_path_factory.mktemp("survey") / "far.fits"
    write_panstarrs(path, replace(PARAMETERS, dec_deg=25.0))
    with pytest.raises(StageFailure, match="does not show") as caught:
        give(night, path)
    assert caught.value.code == FailureCode.NO_OVERLAP
    assert Reference.objects.count() == 1


def test_a_band_of_which_there_are_no_frames_is_refused(night, cutout):
    with pytest.raises(StageFailure, match="no frames in V"):
        give_reference(cutout, Serves(night.field, "V"), MACHINE)
