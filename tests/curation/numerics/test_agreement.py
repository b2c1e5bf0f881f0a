from __future__ import annotations

import pytest

from curation.numerics.agreement import Answer, Consensus, consensus


def answers(text: str) -> list[Answer]:
    """Read "+high:nova -low" as a valid answer of high confidence with a label and an invalid one of low."""
    words = [word[1:].partition(":") + (word[0] == "+",) for word in text.split()]
    return [Answer(is_valid, label, level) for level, _, label, is_valid in words]


@pytest.mark.parametrize(
    ("given", "is_valid", "share", "label", "level"),
    [
        ("+medium:nova", True, 1.0, "nova", "medium"),
        ("-low", False, 1.0, "", "low"),
        ("+expert -medium -low", True, 5 / 8, "", "expert"),
        ("+expert -high -high", False, 6 / 11, "", "high"),
        ("+medium:a +high:b +medium:a", True, 1.0, "a", "high"),
        ("+medium:a +medium:b", True, 1.0, "b", "medium"),
        ("+high +low:a", True, 1.0, "a", "high"),
    ],
)
def test_the_heavier_side_decides_and_its_share_is_told(given, is_valid, share, label, level):
    assert consensus(answers(given)) == Consensus(is_valid, pytest.approx(share), label, level)


@pytest.mark.parametrize("given", ["", "+medium:a -medium:b", "+high -medium -low"])
def test_without_answers_or_with_equal_sides_nothing_is_decided(given):
    assert consensus(answers(given)) == Consensus(None, None, "", "")
