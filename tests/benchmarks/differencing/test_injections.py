"""Sources are added where and as bright as they are said to be, and counted as found when they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.differencing.injections import Injected, judge_real, with_sources
from benchmarks.differencing.methods import configured, measured
from benchmarks.differencing.real_frames import FOLDERS, RealPair, real_pairs
from observations.numerics.frame import Frame
from observations.numerics.simulate.sources import MoffatPsf
from observations.numerics.simulate.survey import SurveyParameters, simulate_survey_pair


def test_a_source_that_is_added_has_its_flux_and_its_place():
    empty = np.zeros((101, 121), dtype=np.float32)
    frame = Frame(empty, empty > 0, psf=MoffatPsf(3.0, empty.shape))  # no gain: no photon noise
    added = Injected(np.array([60.3]), np.array([49.8]), np.array([5000.0]), np.array([20.0]))
    light = with_sources(frame, added, np.random.default_rng(1))
    y, x = np.indices(light.shape)
    assert light.sum() == pytest.approx(5000.0, rel=1e-3)
    assert (light * x).sum() / light.sum() == pytest.approx(60.3, abs=0.01)
    assert (light * y).sum() / light.sum() == pytest.approx(49.8, abs=0.01)
    assert empty.sum() == 0


def test_what_is_added_to_a_sound_pair_is_found_with_its_flux():
    pair = simulate_survey_pair(SurveyParameters(seed=7, shape=(400, 400), transients_per_mpx=0))
    config = configured()
    science, reference = (measured(side.frame, config) for side in (pair.science, pair.reference))
    figures = judge_real(RealPair("simulated", "pair", science, reference), config, seed=1)
    assert figures.algorithm == "zogy"
    assert figures.injected == round(120 * 400**2 / 2**20)
    # All are of S/N 7 and more: one of 18 may be lost by chance.
    assert figures.found >= 17 / 18
    assert figures.limit > 0.98
    assert figures.bias == pytest.approx(0.0, abs=0.08)
    assert figures.position_px < 0.3


@pytest.mark.parametrize("name", ["pair_eso085-030"])
def test_a_real_pair_is_on_one_grid_with_the_science_frames_stars_and_both_psfs(shared_data, monkeypatch, name):
    monkeypatch.setenv("ASTRID_TEST_DATA", str(shared_data))
    (pair,) = real_pairs(name, configured())
    assert pair.science.shape == pair.reference.shape
    assert pair.science.stars is not None
    assert pair.reference.psf is not None
    found = measured(replace(pair.reference, psf=None), configured()).stars
    near = np.hypot(*(pair.science.stars.xy[:5, None] - found.xy[None]).T).min(axis=0)
    assert np.median(near) < 0.3


def test_a_folder_that_is_not_there_is_said_to_be_absent(monkeypatch, tmp_path):
    monkeypatch.setenv("ASTRID_TEST_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="pair_eso085-030"):
        next(real_pairs("pair_eso085-030", configured()))
    assert "pair_eso085-030" in FOLDERS
