"""The order of terms, on which stored coefficients rest."""

from __future__ import annotations

import numpy as np
import pytest

from observations.numerics import polynomial


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_terms_are_those_of_the_docstring_in_its_order(degree):
    u, v = np.random.default_rng(1).uniform(-1, 1, (2, 5))
    expected = [np.ones(5), u, v, u * u, u * v, v * v][: (degree + 1) * (degree + 2) // 2]
    np.testing.assert_array_equal(polynomial.terms(u, v, degree), np.column_stack(expected))


def test_powers_go_on_beyond_the_second_degree():
    assert polynomial.powers(3)[6:] == [(3, 0), (2, 1), (1, 2), (0, 3)]


def test_images_of_coordinates_keep_their_shape():
    assert polynomial.terms(np.zeros((3, 4)), np.zeros((3, 4)), 2).shape == (3, 4, 6)
