import numpy as np

from detection.numerics.segmentation.pieces import call_artefacts, call_trails

NOTHING = np.zeros((80, 200), dtype=bool)


def row(y, *spans, chance=0.95):
    """Return probabilities with stretches, three pixels wide, along a row."""
    out = np.zeros(NOTHING.shape, dtype=np.float32)
    for start, stop in spans:
        out[y - 1 : y + 2, start:stop] = chance
    return out


def test_what_is_short_or_nowhere_certain_is_no_trail():
    chance = row(10, (5, 60)) + row(30, (5, 60), chance=0.7) + row(50, (5, 20))
    called, count = call_trails(chance, NOTHING, 1.5)
    assert count == 1
    np.testing.assert_array_equal(called, row(10, (5, 60)) > 0)


def test_a_faint_part_belongs_to_a_trail_that_is_certain_elsewhere():
    called, _ = call_trails(np.maximum(row(10, (5, 30)), row(10, (30, 90), chance=0.6)), NOTHING, 1.5)
    assert called[10, 5:90].all()


def test_flashes_on_one_line_are_one_trail_with_what_lies_between():
    called, count = call_trails(row(40, (10, 22), (40, 52), (70, 82)), NOTHING, 1.5)
    assert count == 1
    assert called[40, 10:82].all()
    assert called[:37].sum() == called[44:].sum() == 0


def test_pieces_beside_each_other_are_not_joined():
    called, count = call_trails(row(20, (10, 22)) + row(40, (40, 52)) + row(60, (70, 82)), NOTHING, 1.5)
    assert count == 0
    assert not called.any()


def test_a_round_piece_is_no_trail_and_joins_none():
    chance = row(20, (10, 22))
    chance[14:27, 30:43] = 0.95
    assert call_trails(chance, NOTHING, 1.5)[1] == 0


def test_what_is_mostly_masked_is_an_edge():
    mask = NOTHING.copy()
    mask[9:12] = True
    assert call_trails(row(10, (5, 90)), mask, 1.5)[1] == 0
    mask[:, :60] = False
    assert call_trails(row(10, (5, 90)), mask, 1.5)[1] == 1


def test_artefacts_are_of_any_shape_but_not_of_a_few_pixels():
    chance = row(10, (5, 8))
    chance[40:50, 40:50] = 0.9
    called, count = call_artefacts(chance)
    assert count == 1
    assert called.sum() == 100
    assert call_artefacts(np.zeros_like(chance))[1] == 0
