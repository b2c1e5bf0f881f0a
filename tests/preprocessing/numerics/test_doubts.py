import numpy as np

from observations.numerics.doubts import TRUSTED_FLUX_SHARE
from preprocessing.numerics.background import Background
from preprocessing.numerics.doubts import doubts_of_sampling, doubts_of_sky


def _sky(slope):
    level = np.broadcast_to(1000.0 * (1 + slope * np.linspace(-1, 1, 200)), (160, 200)).astype(np.float32)
    return Background(level, np.ones_like(level))


def test_a_lopsided_sky_without_a_flat_is_doubted_and_holds_alerts_back():
    (doubt,) = doubts_of_sky(_sky(0.3), is_flat_known=False)
    assert doubt.code == "gradient_without_flat"
    assert doubt.blocks_publication
    assert doubt.value > TRUSTED_FLUX_SHARE


def test_with_a_flat_or_an_even_sky_nothing_is_doubted():
    assert doubts_of_sky(_sky(0.3), is_flat_known=True) == ()
    assert doubts_of_sky(_sky(0.04), is_flat_known=False) == ()


def test_only_the_sharpest_stars_hold_alerts_back():
    assert doubts_of_sampling(None) == ()
    assert [doubts_of_sampling(width)[0].blocks_publication for width in (1.0, 1.3, 1.7)] == [True, False, False]
    assert "undersampled" in doubts_of_sampling(1.2)[0].message
