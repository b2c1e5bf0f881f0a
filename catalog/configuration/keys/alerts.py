"""Keys of what is made known."""

from __future__ import annotations

from catalog.configuration.key import ConfigKey

ALERTS = (
    ConfigKey(
        "alerts.publishing_paused",
        False,
        "Whether publishing rests: alerts are raised and kept, and go out in their order when it is false again.",
        is_science=False,
    ),
    ConfigKey(
        "alerts.automatic",
        True,
        "Whether a high score alone raises an alert, without any review, once answers have shown that few of these "
        "would be false; until then none is raised.",
    ),
    ConfigKey(
        "alerts.automatic_most_false",
        0.05,
        "Alerts are automatic only while, with 95 % certainty, no larger share of what they would be about is false.",
        0.001,
        1.0,
    ),
    ConfigKey(
        "alerts.automatic_threshold",
        0.99,
        "A detection with a score at or above this raises an alert automatically, unless somebody has rejected it.",
        0.0,
        1.0,
    ),
    ConfigKey(
        "alerts.automatic_min_snr",
        10.0,
        "A detection with a lower signal-to-noise ratio waits for a person, whatever its score.",
        0.0,
        1000.0,
    ),
    ConfigKey(
        "alerts.min_human_confidence",
        "medium",
        "A verdict raises an alert if at least one of those who agree was this confident.",
        choices=("low", "medium", "high", "expert"),
    ),
    ConfigKey(
        "alerts.update_mag",
        0.3,
        "A new alert is issued for an alerted source when its flux has changed by this many magnitudes.",
        0.01,
        10.0,
    ),
    ConfigKey("alerts.high_snr", 30.0, "A new source with at least this S/N gets high priority.", 5.0, 10000.0),
    ConfigKey("alerts.critical_mag", 12.0, "A source at or above this brightness is critical.", -30.0, 30.0),
)
