"""What catalogues hold near detections, where it stood at the frame's time, and what may be said not to be there."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest

from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from detection.context.near import neighbours_of, neighbours_of_each
from detection.context.sentence import sentence_of
from detection.known.comparing import Known, Verdict
from detection.models import ContextKind
from detection.sources.photometry import Brightness
from observations.models import WcsQuality
from tests.factories import ContextAreaFactory, ContextSourceFactory, DetectionFactory, StarCatalogFieldFactory

pytestmark = pytest.mark.django_db

NOTHING_KNOWN = Known(Verdict.NOT_KNOWN, "no known asteroid within 30″")


@pytest.fixture(autouse=True)
def no_file(settings):
    settings.ASTRID_STAR_CATALOG = ""


def beside(detection, east_arcsec=0.0, north_arcsec=0.0, **values):
    ra = detection.ra + east_arcsec / 3600.0 / math.cos(math.radians(detection.dec))
    return ContextSourceFactory(ra=ra % 360.0, dec=detection.dec + north_arcsec / 3600.0, **values)


def packed(ra, dec):
    buffer = io.BytesIO()
    zero = np.zeros(1, dtype=np.float32)
    np.savez(buffer, ra=[ra], dec=[dec], pm_ra=zero, pm_dec=zero, magnitudes=np.full((1, 1), 17.0, dtype=np.float32))
    return buffer.getvalue()


def said(detection, *, mag=17.94, known=NOTHING_KNOWN):
    return sentence_of(detection, Brightness(mag, 0.1, "AB"), neighbours_of(detection), known)


def test_distance_and_direction_are_those_from_the_detection():
    detection = DetectionFactory()
    beside(detection, east_arcsec=3.0, north_arcsec=4.0)
    (near,) = neighbours_of(detection).near[ContextKind.STAR]
    assert near.separation_arcsec == pytest.approx(5.0, abs=1e-4)
    assert near.position_angle_deg == pytest.approx(math.degrees(math.atan2(3, 4)), abs=1e-3)


def test_a_star_is_sought_where_its_motion_has_brought_it():
    detection = DetectionFactory()
    years = 2000.0 + (detection.observation.mjd_utc - 51544.5) / 365.25 - 1950.0
    area = ContextAreaFactory(epoch_year=1950.0, fastest_mas_per_year=5000.0)
    motion = {"pm_ra_mas_per_year": 3000.0, "pm_dec_mas_per_year": 4000.0}
    beside(detection, -3.0 * years, -4.0 * years, area=area, **motion)
    beside(detection, 1.0, area=area, **motion)  # which has left
    (near,) = neighbours_of(detection).near[ContextKind.STAR]
    assert near.separation_arcsec == pytest.approx(0.0, abs=0.05)
    assert near.speed_mas_per_year == pytest.approx(5000.0)


def test_stars_kept_for_positions_are_neighbours_too_and_one_star_stands_once():
    detection = DetectionFactory()
    star = beside(detection, 5.0, parallax_mas=2.1)
    place = {"ra": detection.ra, "dec": detection.dec, "radius_deg": 1.0}
    StarCatalogFieldFactory(**place, star_count=1, stars=packed(star.ra, star.dec))
    neighbours = neighbours_of(detection)
    (near,) = neighbours.near[ContextKind.STAR]
    assert near.parallax_mas == 2.1
    assert len(neighbours.covers[ContextKind.STAR]) == 2


def test_the_host_is_the_galaxy_in_whose_light_it_lies_deepest():
    detection = DetectionFactory()
    beside(detection, 4.0, area__kind=ContextKind.GALAXY, name="small", semi_major_arcsec=0.5, axis_ratio=1.0)
    beside(detection, 20.0, area__kind=ContextKind.GALAXY, name="large", semi_major_arcsec=20.0, axis_ratio=0.5,
           angle_deg=90.0)  # fmt: skip
    first, second = neighbours_of(detection).near[ContextKind.GALAXY]
    assert (first.name, second.name) == ("large", "small")
    assert first.light_radii == pytest.approx(1.0, abs=1e-3)
    assert first.may_be_host and not second.may_be_host


def test_the_sentence_tells_what_is_beside_it_and_what_is_not():
    detection = DetectionFactory()
    beside(detection, 2.1, area__kind=ContextKind.GALAXY, name="NGC 1", area__catalogue="GLADE")
    ContextAreaFactory(kind=ContextKind.VARIABLE, catalogue="VSX")
    ContextAreaFactory(kind=ContextKind.STAR, catalogue="Gaia DR3")
    assert said(detection) == (
        "17.9 mag, 2.1″ from the nucleus of a G = 16.2 galaxy (NGC 1); no known variable within 30″ (VSX of 3 days "
        "ago); no known star within 30″ (Gaia DR3 of 3 days ago); no known asteroid within 30″"
    )


def test_nothing_is_said_not_to_be_there_where_no_catalogue_was_loaded():
    detection = DetectionFactory()
    ContextAreaFactory(kind=ContextKind.VARIABLE, ra=(detection.ra + 90.0) % 360.0, radius_deg=5.0)
    ContextAreaFactory(kind=ContextKind.GALAXY, is_complete=False)
    assert said(detection, known=Known(Verdict.CANNOT_SAY, "cannot say: no orbits")) == (
        "17.9 mag; whether it is a known asteroid cannot be said; whether a known variable, a known galaxy or a known "
        "star is near cannot be said: no catalogue loaded covers this place"
    )


def test_a_place_at_the_edge_of_what_was_loaded_is_not_covered():
    detection = DetectionFactory()
    area = {"kind": ContextKind.VARIABLE, "ra": detection.ra, "radius_deg": 0.1}
    ContextAreaFactory(dec=detection.dec + 0.1 - 40.0 / 3600.0, catalogue="inside", **area)
    ContextAreaFactory(dec=detection.dec + 0.1 - 20.0 / 3600.0, catalogue="beyond", **area)
    assert [cover.catalogue for cover in neighbours_of(detection).covers[ContextKind.VARIABLE]] == ["inside"]


def test_a_known_variable_at_the_place_is_named_and_not_told_as_a_star_again():
    detection = DetectionFactory()
    beside(detection, 0.4, area__kind=ContextKind.VARIABLE, name="V0554 Cyg", type_name="RRAB", mag=15.3, band="V")
    beside(detection, 0.5)
    assert "0.4″ from the known variable V0554 Cyg (RRAB, V = 15.3);" in said(detection)
    assert "from a G" not in said(detection)


def test_the_nearest_is_told_first_and_letters_have_their_article():
    detection = DetectionFactory()
    beside(detection, 20.0, area__kind=ContextKind.VARIABLE, name="V1")
    beside(detection, 7.8, area__kind=ContextKind.GALAXY, band="r")
    beside(detection, 0.3, parallax_mas=2.14, pm_ra_mas_per_year=30.0, pm_dec_mas_per_year=40.0, band="", mag=18.2)
    assert said(detection).startswith(
        # Where 24 years of its motion have brought it.
        "17.9 mag, 1.4″ from an 18.2 mag star (parallax 2.1 mas, moving 50 mas a year), 7.8″ from the nucleus of an "
        "r = 16.2 galaxy, 20.0″ from the known variable V1 (G = 16.2);"
    )


def test_of_a_position_from_pointing_alone_nothing_is_said():
    detection = DetectionFactory()
    detection.observation.wcs_quality = WcsQuality.NOMINAL
    beside(detection)
    assert said(detection, mag=None).endswith("cannot be said: the frame’s position is from pointing and optics only")


def test_the_radius_is_a_setting():
    detection = DetectionFactory()
    beside(detection, 50.0)
    assert not neighbours_of(detection).near[ContextKind.STAR]
    set_value("context.search_radius_arcsec", 60.0, actor=MACHINE)
    assert len(neighbours_of(detection).near[ContextKind.STAR]) == 1


def test_many_detections_cost_few_queries(django_assert_max_num_queries):
    detections = [DetectionFactory() for _ in range(6)]
    for detection in detections:
        beside(detection, 1.0)
    with django_assert_max_num_queries(6):
        answers = neighbours_of_each(detections)
    assert all(answers[row.pk].near[ContextKind.STAR] for row in detections)
