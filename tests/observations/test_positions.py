"""Positions as people write them, and other words."""

from __future__ import annotations

import pytest

from observations.positions import parse_position


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("150.5 -2.25", (150.5, -2.25, 10.0)),
        ("150.5, -2.25, 30", (150.5, -2.25, 30.0)),
        ("10:02:00 -02:15:00", (150.5, -2.25, 10.0)),
        ("10 02 00 -02 15 00 5", (150.5, -2.25, 5.0)),
        ("10h02m00s -00d15m00s", (150.5, -0.25, 10.0)),
        ("10ʰ02ᵐ00ˢ −00°15′00″", (150.5, -0.25, 10.0)),
        ("400 10", None),
        ("10 95", None),
        ("m31 light", None),
        ("12", None),
        ("", None),
    ],
)
def test_a_position_is_told_from_other_words(text: str, place: tuple[float, float, float] | None):
    assert parse_position(text) == (None if place is None else pytest.approx(place))


def test_a_long_number_that_is_no_position_is_told_at_all():
    # A pattern that tries every way to split it would take years.
    assert parse_position("1" * 5000 + "x") is None
