"""The catalogue of a simulated sky says of its stars what a survey would: nearly the truth."""

from __future__ import annotations

import numpy as np
import pytest

from observations.numerics.fits.synthetic import field_wcs
from observations.numerics.simulate.nights import NightParameters, simulate_nights, stars_of
from observations.numerics.simulate.star_catalog import FAINTEST_MAG, catalog_lines, catalog_stars
from preprocessing.star_table import read_table

P = NightParameters(seed=2, size=1024, frames=1, stars_per_mpx=3000, transients=1)


@pytest.fixture(scope="module")
def truth():
    """The stars that the catalogue knows: right ascension, declination, magnitude in R."""
    x, y, electrons = stars_of(P)
    magnitude = 27.7 - 2.5 * np.log10(electrons)
    ra, dec = field_wcs(P).all_pix2world(x, y, 0)
    kept = magnitude < FAINTEST_MAG
    return ra[kept], dec[kept], magnitude[kept]


def test_positions_are_off_by_twenty_milliarcseconds(truth):
    stars = catalog_stars(P)
    for error in ((stars.ra_deg - truth[0]) * np.cos(np.radians(truth[1])), stars.dec_deg - truth[1]):
        # 1 500 stars know their scatter to 2 % and their mean to 0.5 mas.
        assert error.std() * 3.6e6 == pytest.approx(20.0, rel=0.1)
        assert abs(error.mean()) * 3.6e6 < 2.5


def test_magnitudes_are_off_by_two_hundredths_for_bright_stars_and_more_for_faint_ones(truth):
    error = catalog_stars(P).magnitude - truth[2]
    assert error[truth[2] < 18].std() == pytest.approx(0.02, rel=0.25)
    assert error[truth[2] > 20].std() > 0.05
    assert abs(np.median(error)) < 0.005


def test_proper_motions_do_not_show_between_the_nights():
    stars = catalog_stars(P)
    years = (simulate_nights(NightParameters(size=160, dither_px=2, transients=1, frames=1))[-1].lights[0].mjd_utc
             - P.first_mjd_utc) / 365.25  # fmt: skip
    assert np.hypot(stars.pm_ra, stars.pm_dec).max() > 15.0
    assert np.hypot(stars.pm_ra, stars.pm_dec).max() * years < 2.0
    assert stars.epoch_year == pytest.approx(2026.025, abs=0.002)


def test_the_file_reads_as_a_star_catalogue_with_magnitudes_in_the_frames_band_first(tmp_path, truth):
    path = tmp_path / "star_catalog.csv"
    path.write_text("".join(f"{line}\n" for line in catalog_lines(P)))
    table = read_table(path)
    assert table.name == "simulated sky 2"
    assert table.bands == [("R", "Vega"), ("V", "Vega")]
    assert len(table.ra_deg) == len(truth[0])
    assert np.all(np.diff(table.magnitudes[0]) >= 0)
    # The colour of such stars: V - R of 0.45.
    assert np.median(table.magnitudes[1] - table.magnitudes[0]) == pytest.approx(0.45, abs=0.03)


def test_the_same_seed_gives_the_same_catalogue_and_another_seed_another():
    one, same, other = ("\n".join(catalog_lines(NightParameters(seed=seed))) for seed in (1, 1, 2))
    assert one == same
    assert one != other
