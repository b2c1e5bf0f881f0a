"""A frame is named as what it looks like where its header says otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from observations.numerics.fits.facts import FrameFacts
from preprocessing.numerics.look_alike import looks_like

FACTS = FrameFacts(kind="light", width=100, height=100, gain_e_per_adu=1.5, read_noise_e=8.0)


def exposed(electrons: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    return ((rng.poisson(electrons, (100, 100)) + rng.normal(0, 8.0, (100, 100))) / 1.5 + 300.0).astype(np.float32)


@pytest.mark.parametrize(
    ("electrons", "stars", "word"),
    [(45_000.0, 2, "flat frame"), (1.0, 0, "dark or bias"), (700.0, 3, ""), (45_000.0, 300, ""), (1.0, 300, "")],
)
def test_a_light_without_stars_is_named_as_what_it_looks_like(electrons, stars, word):
    data = exposed(electrons)
    said = looks_like(data, FACTS, float(data.std()), stars, 10)
    assert (word in said) if word else said == ""
