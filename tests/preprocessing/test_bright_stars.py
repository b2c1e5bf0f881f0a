"""The bright stars that come with the program."""

import numpy as np

from observations.numerics.sphere import separation_deg
from preprocessing.bright_stars import BANDS, FAINTEST_MAG, bright_stars


def test_they_cover_the_whole_sky_to_the_tenth_magnitude():
    dec, ra, magnitudes = bright_stars()
    assert len(dec) > 450_000 and np.all(np.diff(dec) >= 0)
    assert np.nanmax(magnitudes[BANDS.index("G")]) <= FAINTEST_MAG
    octants = np.unique((ra // 90) + 4 * (dec > 0), return_counts=True)[1]
    assert len(octants) == 8 and octants.min() > 30_000


def test_ross_128_is_where_gaia_saw_it_in_the_colours_that_gaia_saw():
    dec, ra, magnitudes = bright_stars()
    k = int(np.argmin(separation_deg(ra, dec, 176.93769, 0.79912)))
    assert separation_deg(ra[k], dec[k], 176.93769, 0.79912) < 1e-5
    # Gaia DR3 3796072592206250624.
    seen = dict(zip(BANDS, magnitudes[:, k], strict=True))
    np.testing.assert_allclose([seen["G"], seen["BP"], seen["RP"]], [9.60, 11.36, 8.33], atol=0.01)
