import numpy as np

from differencing.numerics import tiles
from tests.differencing.numerics.scenes import ZOGY, pair_of, subtract


def test_tiles_give_the_same_however_many_are_transformed_together(monkeypatch):
    pair = pair_of(5, shape=(200, 900), n_stars=150, saturation_adu=20_000.0)
    whole = subtract(pair.science, pair.reference)
    monkeypatch.setattr(tiles, "MOST_PX", 2 * 192**2)
    grid = tiles.TileGrid.of(pair.science.shape, ZOGY.tile_px, ZOGY.overlap_px)
    assert [part.stop - part.start for part in grid.parts()] == [1, 2, 2, 2]
    parted = subtract(pair.science, pair.reference)
    for name in ("difference", "score", "flux", "flux_error"):
        one, other = getattr(whole, name), getattr(parted, name)
        # Transforms of single precision, some of them side by side in other numbers.
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * float(np.nanstd(one)), equal_nan=True)
