import numpy as np

from differencing.numerics.vetoes.crowding import crowds

AREA = 1024.0**2
FAR = (np.array([100.0, 400.0, 700.0, 900.0, 150.0, 500.0]), np.array([100.0, 300.0, 200.0, 800.0, 700.0, 600.0]))


def crowds_of(x, y, on_rim=None, height=None):
    edge = np.zeros(len(x), dtype=bool) if on_rim is None else on_rim
    high = np.full(len(x), 6.0) if height is None else height
    return crowds(np.asarray(x), np.asarray(y), high, edge, fwhm_px=3.0, area_px=AREA)


def test_peaks_about_a_bright_star_crowd_and_others_do_not():
    angle = np.linspace(0.0, 2.0 * np.pi, 9)[:-1]
    x, y = np.append(FAR[0], 512.0 + 12.0 * np.cos(angle)), np.append(FAR[1], 440.0 + 12.0 * np.sin(angle))
    found = crowds_of(x, y)
    assert (found[: len(FAR[0])] == 0).all()
    assert (found[len(FAR[0]) :] == 7).all()


def test_peaks_spread_evenly_do_not_crowd_even_where_there_are_many():
    rng = np.random.default_rng(3)
    crowded = sum(np.count_nonzero(crowds_of(*rng.uniform(0, 1024, (2, 300)))) for _ in range(20))
    assert crowded <= 10


def test_the_parts_of_one_comet_do_not_crowd():
    assert (crowds_of([500.0, 504.0, 497.0, 501.0], [500.0, 503.0, 502.0, 495.0]) == 0).all()


def test_what_is_far_higher_than_all_about_it_is_what_they_are_parts_of():
    angle = np.linspace(0.0, 2.0 * np.pi, 9)[:-1]
    x, y = np.append(512.0, 512.0 + 12.0 * np.cos(angle)), np.append(440.0, 440.0 + 12.0 * np.sin(angle))
    found = crowds_of(x, y, height=np.append(60.0, np.full(8, 7.0)))
    assert found.tolist() == [0] + [8] * 8


def test_peaks_all_along_a_rim_crowd_and_a_lone_one_there_does_not():
    along = np.linspace(50.0, 950.0, 12)
    x, y = np.append(FAR[0], np.full(12, 1019.0)), np.append(FAR[1], along)
    on_rim = np.arange(x.size) >= len(FAR[0])
    assert (crowds_of(x, y, on_rim)[on_rim] == 12).all()
    assert (crowds_of(x, y, on_rim)[~on_rim] == 0).all()
    assert (crowds_of(x[:7], y[:7], on_rim[:7]) == 0).all()


def test_a_frame_without_peaks_has_no_crowd():
    assert crowds_of([], []).size == 0
