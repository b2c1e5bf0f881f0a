"""Where a detection lies in its cutout and where north is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.wcs import WCS

from catalog.files import storage
from detection.cutouts.overlay import Overlay, overlay_of, place_in, turn_of
from detection.cutouts.pictures import version_of
from detection.numerics.orientation import Turn
from observations.numerics.fits.products import encode_image
from tests.factories import CandidateFactory, DetectionFactory

pytestmark = pytest.mark.django_db


def difference_image(name: str, turned_deg: float, *, is_mirrored: bool) -> str:
    """Store an image whose north is so many degrees from up towards the left, and return its path."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [150.01, 2.01], [101.0, 201.0]
    angle = np.radians(turned_deg)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # Pixels to sky: undo the turn, then east is to the left, or to the right in a mirror.
    wcs.wcs.cd = 3e-4 * np.diag([1.0 if is_mirrored else -1.0, 1.0]) @ rotation.T
    return storage.write_atomically(name, encode_image(np.zeros((4, 4), dtype=np.float32), wcs=wcs))


@pytest.mark.parametrize(
    ("turned_deg", "is_mirrored", "expected"),
    [
        (0.0, False, Turn(False, 0, 0.0)),
        (20.0, False, Turn(False, 0, 20.0)),
        (90.0, False, Turn(False, 1, 0.0)),
        (180.0, False, Turn(False, 2, 0.0)),
        (0.0, True, Turn(True, 0, 0.0)),
    ],
)
def test_north_comes_up_by_the_image_s_own_coordinates(empty_data_root: Path, turned_deg, is_mirrored, expected):
    path = difference_image(f"{turned_deg}{is_mirrored}.fits", turned_deg, is_mirrored=is_mirrored)
    row = DetectionFactory(candidate=CandidateFactory(difference_run__difference_image_path=path))
    found = turn_of(row)
    assert (found.is_flipped, found.quarter_turns) == (expected.is_flipped, expected.quarter_turns)
    assert found.north_deg == pytest.approx(expected.north_deg, abs=0.01)


def test_a_nominal_position_is_not_turned_and_has_no_compass(empty_data_root: Path):
    path = difference_image("nominal.fits", 90.0, is_mirrored=True)
    row = DetectionFactory(candidate=CandidateFactory(difference_run__difference_image_path=path))
    row.observation.wcs_quality = "nominal"
    assert turn_of(row) == Turn()
    assert overlay_of(row) == Overlay(bar_px=pytest.approx(20.0 / row.observation.pixel_scale), bar_arcsec=20.0)


@pytest.mark.parametrize(("is_mirrored", "to_the_right"), [(False, -1.0), (True, 1.0)])
def test_the_compass_of_a_cutout_that_is_not_turned(empty_data_root: Path, is_mirrored, to_the_right):
    path = difference_image(f"compass{is_mirrored}.fits", 20.0, is_mirrored=is_mirrored)
    row = DetectionFactory(candidate=CandidateFactory(difference_run__difference_image_path=path))
    found, angle = overlay_of(row), np.radians(20.0)
    # On a screen y runs downwards.
    assert found.north == pytest.approx((-np.sin(angle), -np.cos(angle)), abs=1e-4)
    assert found.east == pytest.approx((to_the_right * np.cos(angle), -to_the_right * np.sin(angle)), abs=1e-4)


def test_without_its_image_nothing_is_known_of_north(empty_data_root: Path):
    (empty_data_root / "broken.fits").write_bytes(b"no FITS")
    for path in ("", "gone.fits", "broken.fits"):
        row = DetectionFactory(candidate=CandidateFactory(difference_run__difference_image_path=path))
        assert turn_of(row) == Turn()


def test_a_detection_lies_in_the_middle_pixel_of_its_cutout():
    row = DetectionFactory(candidate=CandidateFactory(pixel_x=100.25, pixel_y=7.75))
    assert place_in(row) == (31.25, 30.75)


def test_the_version_of_a_file_changes_when_it_is_written_anew(empty_data_root: Path):
    first = version_of(storage.write_atomically("cutouts/a.npy", b"1"))
    assert first
    assert version_of(storage.write_atomically("cutouts/a.npy", b"12")) != first
    assert version_of("cutouts/gone.npy") is version_of("../a") is version_of("") is None
