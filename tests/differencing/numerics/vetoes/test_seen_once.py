"""Light in one frame alone is told from what stays, what moves, and what the others could not have shown."""

import numpy as np
import pytest

from differencing.numerics.vetoes.seen_once import Frames, Peaks, seen_once

MINUTE = 1.0 / 1440.0
FRAMES = 4


def frames(limit=21.0, **changed):
    given = {
        "mjd": 60370.0 + 5 * MINUTE * np.arange(FRAMES),
        "limit_mag": np.full(FRAMES, limit),
        "band": np.full(FRAMES, "r"),
    }
    return Frames(**(given | changed))


def counts(peaks, of=None, covers=None, px_per_min=2.0):
    """Judge peaks that are given as (x, mag, frame)."""
    x, mag, frame = (np.array(column) for column in zip(*peaks, strict=True))
    everywhere = np.ones((len(x), FRAMES), dtype=bool)
    given = Peaks(x.astype(float), np.zeros(len(x)), mag.astype(float), frame)
    return seen_once(given, of or frames(), everywhere if covers is None else covers, px_per_min).tolist()


def test_a_bright_flash_of_one_frame_is_missing_in_the_three_others():
    assert counts([(100.0, 18.0, 2)]) == [3]


def test_what_is_seen_again_anywhere_in_the_night_is_no_flash():
    assert counts([(100.0, 18.0, 0), (101.0, 20.5, 3)]) == [0, 0]


@pytest.mark.parametrize(("mag", "missed_by"), [(20.0, 3), (20.1, 0)])
def test_the_others_must_show_it_with_certainty(mag, missed_by):
    # An S/N of 12 is 0.95 mag above the limit.
    assert counts([(100.0, mag, 1)]) == [missed_by]


def test_one_other_frame_may_have_a_fault_there():
    near_two = np.array([[True, True, False, False]])
    assert counts([(100.0, 18.0, 0)], covers=near_two) == [0]
    shallow = frames(limit_mag=np.array([21.0, 21.0, 17.0, np.nan]))
    assert counts([(100.0, 18.0, 0)], shallow) == [0]


def test_another_filter_shows_other_things():
    assert counts([(100.0, 18.0, 0)], frames(band=np.array(["r", "g", "g", "r"]))) == [0]


def test_an_unknown_magnitude_is_not_judged():
    assert counts([(100.0, np.nan, 1)]) == [0]


def test_what_moves_by_less_than_is_allowed_is_no_flash():
    asteroid = [(100.0 + 8.0 * k, 18.0, k) for k in range(FRAMES)]
    assert counts(asteroid) == [0] * FRAMES
    assert counts(asteroid, px_per_min=0.5) == [3] * FRAMES


def test_a_neighbour_of_another_brightness_or_one_that_stays_is_nothing_that_moves():
    assert counts([(100.0, 16.0, 0), (108.0, 18.0, 1)]) == [3, 3]
    stays = [(108.0, 18.0, k) for k in range(1, FRAMES)]
    assert counts([(100.0, 18.0, 0), *stays]) == [3, 0, 0, 0]


def test_no_peak_is_no_answer():
    empty = np.zeros(0)
    nothing = Peaks(empty, empty, empty, np.zeros(0, dtype=int))
    assert seen_once(nothing, frames(), np.ones((0, FRAMES), dtype=bool), 2.0).tolist() == []
