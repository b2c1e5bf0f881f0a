"""What people judged, said, chose or were told of stays, with the images that they saw."""

from __future__ import annotations

from catalog.retention.rules import Keep

# Tables with a row for a detection that somebody did something about, or that went out.
_JUDGED = (
    "curation_validationevent", "curation_conflict", "curation_labelexample", "curation_golditem", "curation_deferral",
)  # fmt: skip


def _any_of(tables: tuple[str, ...], detection: str) -> str:
    return " OR ".join(f"EXISTS (SELECT 1 FROM {table} t WHERE t.detection_id = {detection})" for table in tables)  # noqa: S608


def _judged(detection: str) -> str:
    """Return SQL that is true of a detection, an alias of its table, that somebody judged."""
    return f"{detection}.is_validated OR {detection}.human_label <> '' OR {_any_of(_JUDGED, f'{detection}.id')}"


def _reported(detection: str) -> str:
    """Return SQL that is true of a detection that a report tells of, as a source or as a place of what moves."""
    return (
        f"EXISTS (SELECT 1 FROM curation_reportrow r WHERE r.source_id = {detection}.source_id) "  # noqa: S608
        "OR EXISTS (SELECT 1 FROM curation_reportrow r "
        "JOIN differencing_tracklet_members m ON m.tracklet_id = r.tracklet_id "
        f"WHERE m.candidate_id = {detection}.candidate_id)"
    )


def of_detections() -> tuple[Keep, ...]:
    """Return what must stay of detections, for a rule about them."""
    return (
        Keep("a person judged it", _judged("line")),
        Keep("there is a note on it", _any_of(("curation_note",), "line.id")),
        Keep("an alert tells of it", _any_of(("curation_alert",), "line.id")),
        Keep("a report tells of it", _reported("line")),
    )


def of_frames(observation: str) -> tuple[Keep, ...]:
    """Return what must stay of frames in which there are such detections; `observation` is SQL for the frame's key."""

    def within(condition: str) -> str:
        return (
            "EXISTS (SELECT 1 FROM detection_detection found "  # noqa: S608
            f"WHERE found.observation_id = {observation} AND ({condition}))"
        )

    return (
        Keep("a person judged something in it", within(_judged("found"))),
        Keep("there is a note on something in it", within(_any_of(("curation_note",), "found.id"))),
        Keep("an alert tells of something in it", within(_any_of(("curation_alert",), "found.id"))),
        Keep("a report tells of something in it", within(_reported("found"))),
    )
