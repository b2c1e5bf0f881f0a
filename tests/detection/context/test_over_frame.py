"""What is drawn over the images of a whole frame: what is in it, where it stood then, and who may see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from detection.context.over_frame import over_frame
from detection.models import ContextKind
from observations.models import WcsQuality
from tests.browsers import staff_of
from tests.differencing.images import HEIGHT, WIDTH, run_with_images, wcs
from tests.factories import (
    CandidateFactory,
    ContextAreaFactory,
    ContextSourceFactory,
    DetectionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_file(settings):
    settings.ASTRID_STAR_CATALOG = ""


def source_at(x: float, y: float, **values):
    ra, dec = (float(value) for value in wcs().all_pix2world(x, y, 0))
    return ContextSourceFactory(ra=ra, dec=dec, **values)


def seen(run):
    return over_frame(run, UserFactory(is_superuser=True))


def test_sources_lie_at_their_pixels_and_those_beside_the_frame_are_left_out(empty_data_root: Path):
    run = run_with_images()
    galaxies = ContextAreaFactory(kind=ContextKind.GALAXY, catalogue="Leda")
    source_at(70.25, 12.5, area=galaxies, name="NGC 1", mag=14.26, band="B")
    source_at(WIDTH + 3.0, 12.0)
    source_at(20.0, -2.0)
    (found,) = seen(run)
    assert (found.x, found.y) == pytest.approx((70.25, 12.5), abs=1e-3)
    assert (found.kind, found.text, found.url) == ("galaxy", "Galaxy, NGC 1, B = 14.3, Leda", "")


def test_a_star_is_drawn_where_its_motion_had_brought_it(empty_data_root: Path):
    run = run_with_images()
    years = 2000.0 + (run.observation.mjd_utc - 51544.5) / 365.25 - 1990.0
    area = ContextAreaFactory(epoch_year=1990.0, fastest_mas_per_year=200.0)
    source = source_at(48.0, 30.0, area=area, pm_ra_mas_per_year=0.0, pm_dec_mas_per_year=200.0)
    x, y = (float(value) for value in wcs().all_world2pix(source.ra, source.dec + 200.0 * years / 3.6e6, 0))
    (found,) = seen(run)
    assert (found.x, found.y) == pytest.approx((x, y), abs=1e-3)
    assert abs(y - 30.0) > 1.0


def test_detections_lead_to_their_pages(empty_data_root: Path):
    run = run_with_images()
    detection = DetectionFactory(candidate=CandidateFactory(difference_run=run, pixel_x=31.5, pixel_y=21.0))
    DetectionFactory()
    (found,) = seen(run)
    assert (found.x, found.y, found.kind) == (31.5, 21.0, "detection")
    assert found.url == f"/detections/{detection.pk}/"


def test_a_nominal_position_places_no_catalogue(empty_data_root: Path):
    run = run_with_images()
    source_at(48.0, 30.0)
    run.observation.wcs_quality = WcsQuality.NOMINAL
    assert seen(run) == []


def test_marks_are_sent_with_what_is_said_of_them(empty_data_root: Path):
    run = run_with_images()
    source_at(WIDTH / 2, HEIGHT / 2)
    answer = staff_of("viewer").get(f"/differences/{run.pk}/known/")
    (found,) = answer.json()["objects"]
    assert set(found) == {"x", "y", "kind", "text", "url"}
    assert found["kind"] == "star"
