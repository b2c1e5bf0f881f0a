"""The wide pictures, what is drawn over them, and the finding chart: where a source stands on each of them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.wcs import WCS
from PIL import Image

from catalog.files import storage
from detection.context import chart, wide
from detection.context.around import around_of
from detection.context.surroundings import context_of
from detection.cutouts.overlay import turn_of
from detection.models import ContextKind, Detection
from observations.models import WcsQuality
from observations.numerics.fits.products import encode_image
from tests.factories import CandidateFactory, ContextAreaFactory, ContextSourceFactory, DetectionFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]

WIDTH, HEIGHT, SCALE = 300, 260, 1.0
X, Y = 140.3, 120.4


def projection(turned_deg: float) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [150.0, 2.0], [150.5, 130.5]
    angle = np.radians(turned_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.cd = SCALE / 3600.0 * np.diag([-1.0, 1.0]) @ turn.T
    return wcs


def detection_in(turned_deg: float, stars: list[tuple[float, float]]) -> Detection:
    """Return a detection on images with stars so many arcseconds to the east and the north of it."""
    wcs = projection(turned_deg)
    random = np.random.default_rng(3)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    science = random.normal(100.0, 2.0, (HEIGHT, WIDTH))
    ra, dec = (float(value) for value in wcs.all_pix2world(X, Y, 0))
    for east, north in stars:
        star_x, star_y = wcs.all_world2pix(ra + east / 3600.0 / np.cos(np.radians(dec)), dec + north / 3600.0, 0)
        science += 4000.0 * np.exp(-((x - star_x) ** 2 + (y - star_y) ** 2) / 4.0)
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    image = science.astype(np.float32)
    extra = [("MASK", mask)], [("SCIENCE", image)]
    names = [
        storage.write_atomically(f"wide/{name}-{turned_deg}.fits", encode_image(image, wcs=wcs, extra=beside))
        for name, beside in zip(("difference", "reference"), extra, strict=True)
    ]
    candidate = CandidateFactory(
        difference_run__difference_image_path=names[0], difference_run__reference_aligned_path=names[1],
        ra=ra, dec=dec, pixel_x=X, pixel_y=Y,
    )  # fmt: skip
    row = DetectionFactory(candidate=candidate)
    frame = row.observation
    frame.pixel_scale, frame.wcs_quality = SCALE, WcsQuality.SOLVED
    frame.image_width, frame.image_height = WIDTH, HEIGHT
    frame.save()
    return row


def brightest(pixels: np.ndarray, near: tuple[float, float], reach: float) -> tuple[float, float]:
    """Return the middle of the light near a place, x and y."""
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    light = np.where(np.hypot(x - near[0], y - near[1]) < reach, np.clip(pixels - 160.0, 0, None), 0.0)
    assert light.sum() > 0, "nothing shines there"
    return float((light * x).sum() / light.sum()), float((light * y).sum() / light.sum())


@pytest.mark.parametrize("turned_deg", [0.0, 90.0, 168.0])
def test_a_source_is_marked_where_it_is_in_the_picture(turned_deg):
    row = detection_in(turned_deg, [(25.0, 40.0)])
    ra = row.ra + 25.0 / 3600.0 / np.cos(np.radians(row.dec))
    ContextSourceFactory(ra=ra, dec=row.dec + 40.0 / 3600.0, area=ContextAreaFactory(kind=ContextKind.GALAXY))
    around = around_of(row, context_of(row))
    (mark,) = around.marks
    content = wide.picture(row, "science", turn_of(row), wide.version_of(row))
    pixels = np.asarray(Image.open(io.BytesIO(content)).convert("L"), dtype=np.float64)
    assert pixels.shape[0] == pixels.shape[1]
    per_arcsec = pixels.shape[0] / wide.SIDE_ARCSEC
    expected = mark.x * per_arcsec, mark.y * per_arcsec
    assert brightest(pixels, expected, 6 * per_arcsec) == pytest.approx(expected, abs=1.5 * per_arcsec)


def test_what_lies_beyond_the_frame_has_a_colour_of_its_own_and_both_pictures_share_their_greys():
    row = detection_in(0.0, [(0.0, 0.0)])
    row.pixel_x = 20.0
    window = wide.window_of(row, 180.0)
    assert np.isnan(window.science[:, :70]).all() and np.isfinite(window.science[:, 71:]).all()
    science, reference = wide.codes_of(window)
    np.testing.assert_array_equal(science, reference)


def test_pictures_are_kept_and_made_anew_when_the_subtraction_is():
    row = detection_in(0.0, [(0.0, 0.0)])
    first = wide.version_of(row)
    content = wide.picture(row, "reference", turn_of(row), first)
    assert wide.picture(row, "reference", turn_of(row), first) == content
    path = row.candidate.difference_run.reference_aligned_path
    whole = storage.open_stored(path).read_bytes()
    storage.write_atomically(path, whole)
    assert wide.version_of(row) != first
    storage.remove(path)
    assert wide.version_of(row) is None
    assert "gone" in wide.why_not(row)


@pytest.mark.parametrize("turned_deg", [0.0, 33.0, 250.0])
def test_on_a_finding_chart_north_is_up_and_east_is_to_the_left(turned_deg):
    row = detection_in(turned_deg, [(30.0, 50.0)])
    page = np.asarray(Image.open(io.BytesIO(chart.chart_of(row, "png"))), dtype=np.float64)
    middle, per_arcsec = (chart._LEFT + chart._MAP / 2, chart._TOP + chart._MAP / 2), chart._MAP / chart.SIDE_ARCSEC
    expected = middle[0] - 30.0 * per_arcsec, middle[1] - 50.0 * per_arcsec
    assert brightest(255.0 - page, expected, 40.0) == pytest.approx(expected, abs=0.5 * per_arcsec)


def test_the_chart_names_the_stars_that_one_hops_from():
    row = detection_in(0.0, [(30.0, 50.0)])
    ContextSourceFactory(ra=row.ra, dec=row.dec + 60.0 / 3600.0, mag=15.0)
    ContextSourceFactory(ra=row.ra, dec=row.dec - 50.0 / 3600.0, mag=14.0)
    ContextSourceFactory(ra=row.ra, dec=row.dec - 170.0 / 3600.0, mag=10.0)  # beyond the chart
    first, second = chart._stars(row)
    assert (first.letter, first.near.mag, second.letter, second.near.mag) == ("A", 14.0, "B", 15.0)
    assert (first.east, first.north) == pytest.approx((0.0, -50.0), abs=0.01)


def test_the_pdf_is_one_page_that_says_what_it_is():
    content = chart.chart_of(detection_in(0.0, [(0.0, 0.0)]), "pdf")
    assert content.startswith(b"%PDF-") and content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") <= 1
    assert len(content) < 2_000_000


def test_a_nominal_position_has_pictures_without_a_compass():
    row = detection_in(0.0, [(0.0, 0.0)])
    row.observation.wcs_quality = WcsQuality.NOMINAL
    around = around_of(row, context_of(row))
    assert (around.why_not, around.north, around.marks) == ("", None, ())
    assert chart.chart_of(row, "png")


def test_without_a_scale_nothing_is_cut_and_the_reason_is_told():
    row = detection_in(0.0, [])
    row.observation.pixel_scale = None
    assert wide.window_of(row, 180.0) is None
    assert "not known" in around_of(row, context_of(row)).why_not
