"""Agreement beyond chance: published values, an independent computation, and what its interval covers."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from curation.numerics.agreement import cohen_kappa, fleiss_kappa, share_of


def pairs(both_yes: int, yes_no: int, no_yes: int, both_no: int) -> list[tuple[str, str]]:
    return [("y", "y")] * both_yes + [("y", "n")] * yes_no + [("n", "y")] * no_yes + [("n", "n")] * both_no


# Fleiss (1971): 14 people put each of ten cases into one of five kinds, as the table is often reprinted.
FLEISS = [
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ((20, 5, 10, 15), 0.4),
        ((45, 15, 25, 15), 0.1304),
        ((25, 35, 5, 35), 0.2593),
        ((10, 0, 0, 10), 1.0),
        ((0, 10, 10, 0), -1.0),
        ((4, 4, 4, 4), 0.0),
    ],
)
def test_cohens_kappa_is_that_of_published_tables(table, expected):
    found = cohen_kappa(pairs(*table))
    assert found is not None and found.value == pytest.approx(expected, abs=5e-5)
    assert found.low <= found.value <= found.high
    assert found.items == sum(table)


def test_fleiss_kappa_is_that_of_the_published_table():
    found = fleiss_kappa([[k for k, count in enumerate(row) for _ in range(count)] for row in FLEISS])
    assert found is not None and found.value == pytest.approx(0.210, abs=5e-4)
    assert found.low < found.value < found.high


def test_cohens_kappa_is_the_same_when_computed_pair_by_pair():
    rng = np.random.default_rng(11)
    said = [(str(a), str(a if rng.random() < 0.6 else rng.integers(4))) for a in rng.integers(4, size=200)]
    agreed = sum(a == b for a, b in said) / len(said)
    # What chance makes of it: everything that the first said beside everything that the second said.
    by_chance = sum(a == b for (a, _), (_, b) in itertools.product(said, said)) / len(said) ** 2
    found = cohen_kappa(said)
    assert found is not None and found.value == pytest.approx((agreed - by_chance) / (1 - by_chance))


def test_fleiss_kappa_takes_items_that_different_numbers_of_people_answered():
    rng = np.random.default_rng(12)
    items = [list(rng.integers(3, size=rng.integers(1, 6))) for _ in range(80)]
    several = [item for item in items if len(item) > 1]
    agreed = np.mean([np.mean([a == b for a, b in itertools.combinations(item, 2)]) for item in several])
    said = [answer for item in several for answer in item]
    by_chance = sum((said.count(k) / len(said)) ** 2 for k in range(3))
    found = fleiss_kappa(items)
    assert found is not None and found.items == len(several)
    assert found.value == pytest.approx((agreed - by_chance) / (1 - by_chance))


@pytest.mark.parametrize("answers", [[], [("y", "y")] * 9])
def test_agreement_that_chance_explains_wholly_is_not_defined(answers):
    assert cohen_kappa(answers) is None
    assert fleiss_kappa(answers) is None


def test_people_who_agree_about_a_few_are_not_sure_to_agree_about_all():
    found = cohen_kappa(pairs(5, 0, 0, 5))
    assert found is not None and (found.value, found.high) == (1.0, 1.0)
    # Wilson's lower end of ten of ten is 0.722; chance agrees in half.
    assert found.low == pytest.approx((0.7225 - 0.5) / 0.5, abs=1e-3)


def test_the_interval_is_as_wide_as_theory_says_for_many_items():
    table = np.array([[450, 100], [80, 370]])
    found = cohen_kappa(pairs(*table.ravel()))
    assert found is not None
    # Fleiss, Cohen & Everitt (1969), doi:10.1037/h0028106, eq. 13: the variance for large samples.
    p, k = table / table.sum(), found.value
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    expected = float(rows @ columns)
    first = sum(p[i, i] * (1 - (rows[i] + columns[i]) * (1 - k)) ** 2 for i in range(2))
    second = (1 - k) ** 2 * sum(
        p[i, j] * (columns[i] + rows[j]) ** 2 for i, j in itertools.product(range(2), repeat=2) if i != j
    )
    variance = (first + second - (k - expected * (1 - k)) ** 2) / (table.sum() * (1 - expected) ** 2)
    # Two thousand draws know the ends of the interval to a few per cent.
    assert found.high - found.low == pytest.approx(2 * 1.96 * math.sqrt(variance), rel=0.08)


def test_the_same_answers_have_the_same_interval():
    assert cohen_kappa(pairs(20, 5, 10, 15)) == cohen_kappa(pairs(20, 5, 10, 15))


def test_the_interval_of_a_share_is_the_published_one():
    # Newcombe (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I, method 3.
    for part, whole, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        found = share_of(part, whole)
        assert found is not None and (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert share_of(0, 0) is None
