import numpy as np
import pytest

from differencing.numerics.vetoes.fixed_pixels import Seen, recurrences

DITHERS = np.array([(0.0, 0.0), (7.0, -12.0), (-15.0, 4.0), (11.0, 18.0), (-6.0, -9.0)])
EVEN = np.arange(5)[:, None] * np.array([6.0, -2.5])


def seen_of(tracks, moves=DITHERS, frames=range(5)):
    """What was seen of things that stand at (x, y) on the detector (fixed) or on the sky."""
    rows = []
    for x, y, is_fixed in tracks:
        for k in frames:
            sky = moves[k]
            rows.append((x, y, x + sky[0], y + sky[1], k) if is_fixed else (x - sky[0], y - sky[1], x, y, k))
    x, y, sky_x, sky_y, frame = np.array(rows, dtype=float).T
    return Seen(x, y, sky_x, sky_y, 60000.0 + 0.01 * frame, frame.astype(int), 1024.0**2)


def test_what_stays_on_its_pixel_while_the_sky_moves_recurs_in_all_other_frames():
    found = recurrences(seen_of([(300.0, 400.0, True), (600.0, 200.0, False)]))
    assert found.tolist() == [4] * 5 + [0] * 5


def test_what_stays_where_nothing_moves_is_a_star():
    found = recurrences(seen_of([(300.0, 400.0, True), (600.0, 200.0, False)], moves=np.zeros((5, 2))))
    assert not found.any()


def test_two_frames_are_enough_for_two_pixels():
    found = recurrences(seen_of([(300.0, 400.0, True), (700.0, 800.0, True)], frames=range(2)))
    assert found.tolist() == [1] * 4


def test_one_thing_that_a_telescope_may_have_followed_is_spared():
    assert not recurrences(seen_of([(300.0, 400.0, True)], moves=EVEN)).any()


def test_two_things_at_two_places_are_not_both_followed():
    found = recurrences(seen_of([(300.0, 400.0, True), (700.0, 800.0, True)], moves=EVEN))
    assert found.tolist() == [4] * 10


def test_the_parts_of_one_comet_that_is_followed_are_spared():
    assert not recurrences(seen_of([(300.0, 400.0, True), (306.0, 405.0, True)], moves=EVEN)).any()


def test_peaks_that_fall_on_one_pixel_by_chance_are_few():
    rng = np.random.default_rng(4)
    flagged, count = 0, 0
    for _ in range(30):
        tracks = [(*rng.uniform(20, 1000, 2), False) for _ in range(25)]
        found = recurrences(seen_of(tracks))
        flagged, count = flagged + int(np.count_nonzero(found)), count + found.size
    assert flagged <= 0.01 * count


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_recurs_of_one_peak_or_none(count):
    empty = np.empty(0)
    one = Seen(*(np.full(count, 5.0) for _ in range(5)), np.zeros(count, dtype=int), 1e6)
    assert recurrences(one).tolist() == [0] * count
    assert recurrences(Seen(*(empty,) * 5, empty.astype(int), 1e6)).size == 0
