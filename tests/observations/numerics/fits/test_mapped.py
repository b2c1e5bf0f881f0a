from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.mapped import map_images
from observations.numerics.fits.products import encode_image


@pytest.fixture
def product(tmp_path: Path) -> Path:
    random = np.random.default_rng(3)
    data = random.normal(0.0, 1.0, (37, 53)).astype(np.float32)
    data[0, 0] = np.nan
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [150.0, -2.5], [27.0, 19.0], [-3e-4, 3e-4]
    cards = [("ZP-SCALE", 0.94), ("WHO", "O'Neil / B"), ("STARS", 12), ("MADE", True), ("LOST", float("nan"))]
    extra = [("MASK", data > 1.0), ("SCIENCE", 2 * data)]
    path = tmp_path / "product.fits"
    path.write_bytes(encode_image(data, wcs=wcs, cards=cards, extra=extra))
    return path


def test_images_are_those_that_astropy_reads(product: Path):
    with fits.open(product) as hdus:
        known = {hdu.name: np.array(hdu.data) for hdu in hdus}
    mapped = map_images(product).images
    assert list(mapped) == list(known) == ["SCI", "MASK", "SCIENCE"]
    for name, image in known.items():
        assert isinstance(mapped[name], np.memmap)
        assert np.array_equal(mapped[name], image, equal_nan=image.dtype.kind == "f"), name


def test_what_is_read_into_memory_is_in_this_machines_order_and_no_longer_the_file(product: Path):
    mapped = map_images(product)
    data, mask = mapped.image("SCIENCE"), mapped.mask()
    assert (data.dtype, mask.dtype) == (np.dtype("=f4"), np.dtype(bool))
    assert np.array_equal(mask, data > 2.0)
    data[:] = 0.0
    assert mapped.images["SCIENCE"].any()


def test_a_plane_is_the_file_and_what_is_cut_out_of_it_is_right(product: Path):
    mapped = map_images(product)
    plane = mapped.plane()
    assert isinstance(plane, np.memmap)
    assert np.array_equal(plane[1:3, 2:4], mapped.image()[1:3, 2:4], equal_nan=True)
    with pytest.raises(FitsRefused):
        mapped.plane("FLUX")


def test_an_image_that_the_product_lacks_is_refused(product: Path):
    with pytest.raises(FitsRefused, match="no image VAR"):
        map_images(product).image("VAR")


def test_world_coordinates_are_those_that_astropy_reads(product: Path):
    there = WCS(fits.getheader(product)).all_pix2world([0.0, 52.0], [0.0, 36.0], 0)
    np.testing.assert_array_equal(map_images(product).wcs().all_pix2world([0.0, 52.0], [0.0, 36.0], 0), there)


def test_an_image_without_world_coordinates_has_none(tmp_path: Path):
    (tmp_path / "x.fits").write_bytes(encode_image(np.zeros((4, 4), dtype=np.float32)))
    assert map_images(tmp_path / "x.fits").wcs() is None


def test_cards_are_those_that_astropy_reads(product: Path):
    header = fits.getheader(product)
    cards = map_images(product).cards
    for keyword, value in header.items():
        if isinstance(value, fits.card.Undefined):
            value = None
        assert cards[keyword] == value, keyword
        assert type(cards[keyword]) is type(value), keyword


@pytest.mark.parametrize("kept", [0, 1000, 2880, 9000])
def test_what_is_cut_off_is_refused(product: Path, kept: int):
    product.write_bytes(product.read_bytes()[:kept])
    with pytest.raises(FitsRefused, match="make it again"):
        map_images(product)


def test_other_files_are_refused(tmp_path: Path):
    other, noise = tmp_path / "other.fits", tmp_path / "noise.fits"
    fits.PrimaryHDU(np.zeros((4, 4), dtype=np.float32)).writeto(other)
    noise.write_bytes(bytes(range(256)) * 200)
    for path in (other, noise):
        with pytest.raises(FitsRefused):
            map_images(path)


def test_numbers_that_are_stored_scaled_are_refused(tmp_path: Path):
    scaled = tmp_path / "scaled.fits"
    scaled.write_bytes(encode_image(np.zeros((4, 4), dtype=np.float32), extra=[("M", np.ones((4, 4), np.uint16))]))
    with pytest.raises(FitsRefused, match="something other"):
        map_images(scaled)
