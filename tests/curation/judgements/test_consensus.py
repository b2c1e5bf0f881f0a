from __future__ import annotations

import pytest

from curation.judgements.consensus import Answer, Consensus, Event, consensus, standing


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


def said(text: str) -> list[Event]:
    """Read "1:ann 2:bob 3:ann-1" as two verdicts, and a withdrawal by ann of the first."""
    events = []
    for word in text.split():
        key, _, rest = word.partition(":")
        person, minus, taken = rest.partition("-")
        events.append(Event(key, person, is_verdict=not minus, takes_back=taken or None))
    return events


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("", ""),
        ("1:ann 2:bob", "1 2"),
        ("1:ann 2:bob 3:ann", "2 3"),
        ("1:ann 2:ann-1", ""),
        ("1:ann 2:ann 3:ann-2", "1"),
        ("1:ann 2:ann 3:ann-1", "2"),
        ("1:ann 2:ann-1 3:ann-2", "1"),
        ("1:ann 2:ann-1 3:ann-2 4:ann-3", ""),
        ("1:ann 2:ann-1 3:ann-1", ""),
        ("1:ann 2:ann-1 3:ann", "3"),
    ],
)
def test_the_latest_verdict_of_each_person_that_was_not_withdrawn_stands(events, expected):
    assert standing(said(events)) == expected.split()
