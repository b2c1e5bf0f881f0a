"""What the states of all models mean to who looks at them: the one table that colours and signs are taken from."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """How things stand; also the class of the style sheet."""

    GOOD = "good"
    BAD = "bad"
    BUSY = "busy"
    IDLE = "idle"
    PAST = "past"


_STATES = {
    Kind.GOOD: (
        "completed", "preprocessed", "differenced", "validated", "confirmed", "delivered", "sent", "detected", "linked",
        "done", "imported", "used", "fetched", "received", "named",
    ),
    Kind.BAD: ("failed", "rejected", "lost", "dead", "refused"),
    # A try that failed and is repeated: the work goes on.
    Kind.BUSY: (
        "running", "preprocessing", "differencing", "validating", "processing", "retried", "ordered", "unknown",
    ),
    Kind.IDLE: (
        "pending", "ingested", "waiting", "found", "handed_back", "no_ephemerides", "none_usable", "no_size", "open",
        "prepared",
    ),
    # Somebody decided so: no fault, and nothing that is still to come.
    Kind.PAST: ("archived", "duplicate", "cancelled", "gone", "revoked", "expired", "withdrawn"),
}  # fmt: skip
KIND_OF = {state: kind for kind, states in _STATES.items() for state in states}


def kind_of(state: str) -> Kind:
    """Return how things stand in a state; one that is in no row waits for something."""
    return KIND_OF.get(state, Kind.IDLE)
