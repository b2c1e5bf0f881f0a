"""What the benchmark of movers counts as found and as false, and where half is found."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.movers.judging import Truth, judge, limit_of

FILES = [f"light{k}.fits" for k in range(6)]


def truth(name, x, magnitude=20.0):
    return Truth(name, magnitude, 0.3, {file: (x + 5.0 * k, 50.0) for k, file in enumerate(FILES)})


def places(x, count, dy=0.0):
    return [{"file": file, "pixel_x": x + 5.0 * k, "pixel_y": 50.0 + dy} for k, file in enumerate(FILES[:count])]


def track(kind, members, is_doubtful=False):
    return {"kind": kind, "is_doubtful": is_doubtful, "members": members}


def test_a_mover_is_found_by_its_own_tracklet_and_what_is_nobodys_is_false():
    truths = [truth("mover001", 10.0), truth("mover002", 200.0), truth("asteroid", 400.0)]
    tracks = [
        track("linked", places(10.0, 3)),
        track("stacked", places(200.0, 6, dy=2.0)),
        track("linked", places(400.0, 6)),
        track("stacked", places(600.0, 6)),
        track("linked", places(800.0, 4)),
        track("stacked", places(900.0, 6), is_doubtful=True),
    ]
    night = judge(truths, [], tracks)
    assert [(m.is_linked, m.is_stacked) for m in night.movers] == [(True, False), (False, True)]
    assert (night.false_linked, night.false_stacked) == (1, 1)


def test_a_tracklet_that_shares_two_places_with_a_mover_is_not_its():
    members = places(10.0, 2) + places(600.0, 6)[2:]
    night = judge([truth("mover001", 10.0)], [], [track("linked", members)])
    assert not night.movers[0].is_linked and night.false_linked == 1


def test_a_frame_shows_a_mover_where_something_of_five_sigma_is_at_its_place():
    rows = [
        {**place, "significance": sigma, "is_negative": False}
        for place, sigma in zip(places(10.0, 4, dy=1.0), (5.0, 4.9, 20.0, 7.0), strict=True)
    ]
    rows[3]["pixel_y"] += 5.0
    (mover,) = judge([truth("mover001", 10.0)], rows, []).movers
    assert (mover.frames, mover.seen) == (6, 2)


def test_half_is_found_at_the_middle_of_the_curve():
    rng = np.random.default_rng(3)
    magnitudes = rng.uniform(19.0, 22.0, 600)
    found = (rng.uniform(size=600) < 1.0 / (1.0 + np.exp(6.0 * (magnitudes - 20.4)))).astype(np.int64)
    limit = limit_of(magnitudes, np.ones(600, dtype=np.int64), found)
    assert limit.magnitude == pytest.approx(20.4, abs=4.0 * limit.error)
    assert 0.01 < limit.error < 0.1 and limit.bright > 0.97
