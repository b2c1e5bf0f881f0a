"""Keys of review."""

from __future__ import annotations

from catalog.configuration.key import ConfigKey

CURATION = (
    ConfigKey(
        "curation.lease_minutes",
        15,
        "A detection that somebody is reviewing is not offered to anybody else until this long after they "
        "were last active.",
        1,
        1440,
        is_science=False,
    ),
    ConfigKey(
        "curation.fetched_ahead",
        50,
        "How many objects triage fetches ahead, images and all, so that reviewing goes on while the server cannot be "
        "reached. Each is held as if it was being reviewed; where less is left, everybody gets an equal share of it.",
        4,
        200,
        is_science=False,
    ),
    ConfigKey(
        "curation.blind", False, "Whether people see other people's reviews of a detection only after giving their own."
    ),
    ConfigKey("curation.required_answers", 1, "How many people must review a detection before it is decided.", 1, 10),
    ConfigKey(
        "curation.least_agreement",
        0.5,
        "Share of the weight of all reviews of a detection that must agree before it is decided; more than half "
        "in any case.",
        0.5,
        1.0,
    ),
    ConfigKey(
        "curation.conflict_after",
        0,
        "After how many reviews that do not agree a detection is a conflict, which only experts are given; with 0 the "
        "next person is asked instead.",
        0,
        20,
    ),
    ConfigKey(
        "curation.expert_weight",
        1.0,
        "How much the review of an expert weighs, beside 1 for everybody else's.",
        1.0,
        10.0,
    ),
    ConfigKey(
        "curation.gold_share",
        0.0,
        "Share of what people are given to review that experts have marked as known, unmarked and only to see how well "
        "people review; 0 for none.",
        0.0,
        0.5,
        is_science=False,
    ),
    ConfigKey(
        "curation.fake_share",
        0.0,
        "Share of what people are given to review that are sources injected into real frames, unmarked and only to see "
        "how well people find them; 0 for none. Each night's share is made of a new subtraction of some of its frames.",
        0.0,
        0.5,
        is_science=False,
    ),
    ConfigKey(
        "curation.answers_until_retraining",
        300,
        "When people have decided about so many detections from which the model in use has not learned, training anew "
        "is proposed on the page of models.",
        1,
        1_000_000,
        is_science=False,
    ),
)
