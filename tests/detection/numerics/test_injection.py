"""What is put into a frame is a source of its PSF with the noise of its own light, and nowhere a wrong one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.numerics.injection import (
    APART_PX,
    EDGE_PX,
    Ground,
    Injected,
    Kind,
    add_sources,
    draw_sources,
    flux_for,
    source_at,
)
from observations.numerics.frame import Frame, Stars

SIZE = 400
ERROR = 20.0


def psf(_x: float, _y: float) -> np.ndarray:
    v, u = np.mgrid[-12:13, -12:13]
    stamp = np.exp(-0.5 * (u**2 + v**2) / 1.5**2)
    return stamp / stamp.sum()


def stars(count: int = 30) -> Stars:
    random = np.random.default_rng(1)
    x, y = random.uniform(20, SIZE - 20, (2, count))
    flux = np.linspace(50_000.0, 5_000.0, count)
    no = np.zeros(count, dtype=bool)
    fwhm = np.full(count, 3.53)
    fwhm[::6] = 6.0  # galaxies
    return Stars(x, y, flux, np.full(count, 20.0), fwhm, np.zeros(count), no, ~no, 3.53)


def frame(**given) -> Frame:
    data = np.full((SIZE, SIZE), 1000.0, dtype=np.float32)
    usual = {"variance": np.full_like(data, 25.0), "gain": 2.0, "saturation": 60_000.0, "psf": psf, "stars": stars()}
    return Frame(data, np.zeros(data.shape, dtype=bool), **{**usual, **given})


def ground(bits: np.ndarray | None = None, taken: tuple[tuple[float, float], ...] = ()) -> Ground:
    score = np.random.default_rng(2).normal(0.0, 1.0, (SIZE, SIZE))
    bits = np.zeros((SIZE, SIZE), dtype=np.uint8) if bits is None else bits
    return Ground(bits, ERROR * score, score, np.array(taken, dtype=float).reshape(-1, 2))


def draw(one: Frame, on: Ground, count: int = 8, seed: int = 5) -> list[Injected]:
    return draw_sources(one, on, count, (5.0, 50.0), np.random.default_rng(seed))


def test_the_psf_is_moved_by_parts_of_a_pixel():
    window, stamp = source_at(psf, 100.3, 57.8)
    v, u = np.mgrid[window]
    assert stamp.sum() == pytest.approx(1.0)
    assert ((u * stamp).sum(), (v * stamp).sum()) == pytest.approx((100.3, 57.8), abs=1e-3)


def test_the_flux_has_the_signal_to_noise_that_was_asked_for():
    stamp = psf(0, 0)
    for snr in (5.0, 20.0, 50.0):
        flux = flux_for(snr, ERROR, stamp, 2.0)
        own = flux * (stamp**3).sum() / (stamp**2).sum() ** 2 / 2.0
        assert flux / np.hypot(ERROR, np.sqrt(own)) == pytest.approx(snr)
    assert flux_for(10.0, ERROR, stamp, 1e12) == pytest.approx(10.0 * ERROR)


def test_light_is_added_with_its_photon_noise_and_the_frame_given_stays_as_it_is():
    one, source = frame(), Injected(200.25, 150.5, Kind.SKY, 10.0, 4000.0)
    sums = [
        float((add_sources(one, [source], np.random.default_rng(seed)).data - one.data).sum()) for seed in range(300)
    ]
    # sqrt(4000 / 2) counts of photon noise: its mean of 300 to 2.6, its scatter to 4 %.
    assert np.mean(sums) == pytest.approx(4000.0, abs=11.0)
    assert np.std(sums) == pytest.approx(np.sqrt(4000.0 / 2.0), rel=0.15)
    changed = add_sources(one, [source], np.random.default_rng(0))
    assert (changed.variance - one.variance).sum() == pytest.approx(2000.0, rel=0.01)
    assert (one.data == 1000.0).all() and (one.variance == 25.0).all()


def test_places_are_free_good_apart_and_of_their_kind():
    bits = np.zeros((SIZE, SIZE), dtype=np.uint8)
    bits[:, 180:220] = 1
    taken = ((90.0, 90.0), (300.0, 300.0))
    found = [one for seed in range(12) for one in draw(frame(), ground(bits, taken), seed=seed)]
    assert {one.kind for one in found} == set(Kind)
    known = stars()
    for one in found:
        assert min(one.x, one.y) >= EDGE_PX and max(one.x, one.y) <= SIZE - 1 - EDGE_PX
        assert not 180 - 6 <= one.x < 220 + 6
        assert min(np.hypot(one.x - x, one.y - y) for x, y in taken) > 13.0
        distance = np.hypot(known.x - one.x, known.y - one.y)
        nearest = distance.min()
        assert nearest > 13.0 if one.kind == Kind.SKY else nearest < 10.0, one
        if one.kind == Kind.GALAXY:
            assert distance[::6].min() < 9.0 + 0.1
        assert 5.0 <= one.snr <= 50.0
    several = draw(frame(), ground())
    for k, one in enumerate(several):
        assert all(max(abs(one.x - two.x), abs(one.y - two.y)) >= APART_PX for two in several[k + 1 :])


def test_the_same_seed_draws_the_same_sources():
    assert draw(frame(), ground()) == draw(frame(), ground()) != draw(frame(), ground(), seed=6)


@pytest.mark.parametrize("lack", ["psf", "stars", "gain", "saturation", "good pixels", "score", "room"])
def test_a_frame_that_cannot_carry_one_gets_none(lack: str):
    one, on = frame(), ground()
    if lack in ("psf", "stars", "gain", "saturation"):
        one = replace(one, **{lack: None})
    elif lack == "good pixels":
        on = replace(on, bits=np.ones((SIZE, SIZE), dtype=np.uint8))
    elif lack == "score":
        on = replace(on, score=np.full((SIZE, SIZE), np.nan))
    else:
        one = replace(one, saturation=1005.0)
    assert draw(one, on) == []
    with pytest.raises(ValueError, match="without a PSF"):
        add_sources(replace(one, gain=None), [], np.random.default_rng(0))
