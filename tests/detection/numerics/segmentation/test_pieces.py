import numpy as np

from detection.numerics.segmentation.pieces import call_artefacts

SHAPE = (80, 200)
NO_COLUMNS = np.zeros(SHAPE, dtype=bool)


def test_artefacts_are_of_any_shape_but_not_of_a_few_pixels():
    chance = np.zeros(SHAPE, dtype=np.float32)
    chance[9:12, 5:8] = 0.95
    chance[40:50, 40:50] = 0.9
    called, count = call_artefacts(chance, NO_COLUMNS)
    assert count == 1
    assert called.sum() == 100
    assert call_artefacts(np.zeros_like(chance), NO_COLUMNS)[1] == 0


def test_what_is_nowhere_certain_is_none():
    chance = np.full(SHAPE, 0.7, dtype=np.float32)
    assert call_artefacts(chance, NO_COLUMNS)[1] == 0
    chance[10, 10] = 0.9
    assert call_artefacts(chance, NO_COLUMNS)[0].all()


def test_bad_columns_are_artefacts_whatever_their_probability():
    columns = NO_COLUMNS.copy()
    columns[:, 70:72] = True
    called, count = call_artefacts(np.zeros(SHAPE, dtype=np.float32), columns)
    assert count == 1
    np.testing.assert_array_equal(called, columns)
