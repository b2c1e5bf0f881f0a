from __future__ import annotations

import pytest

from curation.judgements.consensus import (
    Answer,
    Consensus,
    Event,
    Outcome,
    Rule,
    consensus,
    first_said,
    outcome,
    standing,
)


def answers(text: str) -> list[Answer]:
    """Read "+high:nova -low !+low" as a valid answer with a label, an invalid one, and an expert's that settles."""
    found = []
    for word in text.split():
        sign, (level, _, label) = word.lstrip("!")[0], word.lstrip("!")[1:].partition(":")
        found.append(Answer(sign == "+", label, level, settles=word.startswith("!")))
    return found


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
        ("+high:a +high:a !-low:b", False, 1 / 7, "b", "low"),
        ("+high -high:a !-low", False, 4 / 7, "a", "high"),
        ("+high -high !+low !-low", False, 4 / 8, "", "high"),
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


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("", ""),
        ("1:ann 2:bob 3:ann", "1 2"),
        ("1:ann 2:ann 3:ann-1", "2"),
        ("1:ann 2:ann-1 3:ann-2", "1"),
        ("1:ann 2:ann-1", ""),
    ],
)
def test_what_somebody_said_first_is_their_first_verdict_that_was_not_withdrawn(events, expected):
    assert first_said(said(events)) == expected.split()


def test_an_answer_weighs_by_its_person_and_by_how_sure_they_were():
    heavy = Answer(True, "", "low", weight=4.0)
    assert consensus([heavy, *answers("-high")]).is_valid is True
    assert consensus([heavy, *answers("-high -low")]).is_valid is None, "4 against 3 + 1"
    assert consensus([Answer(True, "", "high", weight=1.1), Answer(False, "", "low", weight=3.3)]).is_valid is None


ONE, TWO, STRICT = Rule(), Rule(required=2), Rule(required=2, least_agreement=0.75, conflict_after=3)


@pytest.mark.parametrize(
    ("given", "rule", "asked_for", "expected"),
    [
        # By default one answer is enough, and people are asked until one side outweighs the other.
        ("", ONE, 0, "needs_another"),
        ("+low", ONE, 0, "settled"),
        ("+low -low", ONE, 0, "needs_another"),
        ("+low -medium", ONE, 0, "settled"),
        # Two are required, whatever the first one says.
        ("+expert", TWO, 0, "needs_another"),
        ("+low +low", TWO, 0, "settled"),
        ("+low -low", TWO, 0, "needs_another"),
        ("+low -low -low", TWO, 0, "settled"),
        # Somebody asked for a second opinion.
        ("+high", ONE, 1, "needs_another"),
        ("+high +high", ONE, 1, "settled"),
        ("+high +high", TWO, 1, "needs_another"),
        # Three quarters of the weight must agree; from three answers on it is a conflict that they do not.
        ("+medium", STRICT, 0, "needs_another"),
        ("+medium -low", STRICT, 0, "needs_another"),
        ("+high -low", STRICT, 0, "settled"),
        ("+medium +medium -medium", STRICT, 0, "conflict"),
        ("+high +high -medium", STRICT, 0, "settled"),
        ("+medium -medium", STRICT, 0, "needs_another"),
        ("+medium -medium", Rule(conflict_after=1), 0, "conflict"),
        ("+medium", Rule(required=2, conflict_after=1), 0, "needs_another"),
        ("+medium -medium", Rule(conflict_after=2), 1, "conflict"),
        ("+medium -medium", Rule(conflict_after=2), 2, "needs_another"),
        # An expert ends it, and nobody opens it again by outvoting them.
        ("+medium +medium -medium !-low", STRICT, 0, "settled"),
        ("+high -high !-low +high +high", STRICT, 5, "settled"),
    ],
)
def test_people_are_asked_until_their_answers_are_enough(given, rule, asked_for, expected):
    assert outcome(answers(given), rule, asked_for=asked_for) == Outcome(expected)
