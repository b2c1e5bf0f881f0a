import numpy as np

from detection.numerics.segmentation.scenes import ARTEFACT, TRAIL, Plain, draw_scene, draw_trail


def plain(seed=1, side=160):
    rng = np.random.default_rng(seed)
    stars = tuple(rng.uniform(10, side - 10, 8) for _ in range(3))
    return Plain(rng.normal(0, 1, (side, side)).astype(np.float16), np.zeros((side, side), dtype=bool), 3.0, stars)


def test_a_trail_is_brightest_on_its_axis_and_as_wide_as_it_says():
    trail = draw_trail(np.random.default_rng(4), (128, 128), 3.0, peak=5.0)
    on_axis = trail.distance < 0.5
    assert on_axis.any()
    assert trail.image[trail.distance > 3 * trail.fwhm_px].max() < 1e-3
    half = np.abs(trail.distance - 0.5 * trail.fwhm_px) < 0.2
    assert trail.image[half].max() <= 0.6 * 5.0
    assert 3.0 <= trail.fwhm_px <= 4.8


def test_the_same_numbers_draw_the_same_scene_and_others_another():
    first, second, other = (draw_scene(np.random.default_rng(seed), plain(), 128) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.sigmas, second.sigmas)
    assert not np.array_equal(first.sigmas, other.sigmas)


def test_scenes_hold_trails_artefacts_and_often_neither():
    scenes = [draw_scene(np.random.default_rng(seed), plain(), 128) for seed in range(40)]
    held = np.array([scene.classes.any(axis=(1, 2)) for scene in scenes])
    assert 0.4 < held[:, TRAIL].mean() < 0.9
    assert 0.2 < held[:, ARTEFACT].mean() < 0.8
    assert (~held.any(axis=1)).any()
    assert all(np.isfinite(scene.sigmas).all() and not scene.sigmas[scene.mask].any() for scene in scenes)
    assert not any((scene.is_open & scene.classes.any(axis=0)).any() for scene in scenes)


def test_a_trail_that_nothing_could_see_is_left_open(monkeypatch):
    monkeypatch.setattr("detection.numerics.segmentation.scenes.LEAST_SNR", np.inf)
    scenes = [draw_scene(np.random.default_rng(seed), plain(), 128) for seed in range(8)]
    assert not any(scene.classes[TRAIL].any() for scene in scenes)
    assert sum(scene.is_open.any() for scene in scenes) > 4
