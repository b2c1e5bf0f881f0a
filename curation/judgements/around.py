"""What there is around the detections of an answer, asked in two statements: as a rule nothing.

A person answers every second for hours, and each of the questions that need not be asked then takes Python longer to
write than the database to answer.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from catalog.models import User
from detection.models import Detection
from detection.shown import shown_among

_LOCKED = """
SELECT id, observation_id, candidate_id, source_id, updated_at, status, is_validated, validation_confidence,
    human_label, detection_type, predicted_type
FROM detection_detection WHERE id = ANY(%s) AND NOT is_injected ORDER BY id FOR UPDATE
"""
# Asked when the locks are held: before, it would miss what others write until they let go of them.
_AROUND = """
SELECT
    EXISTS (SELECT FROM curation_validationevent WHERE detection_id = ANY(%(keys)s)),
    EXISTS (SELECT FROM curation_validationevent WHERE id = ANY(%(events)s)),
    EXISTS (SELECT FROM curation_deferral WHERE detection_id = ANY(%(keys)s) AND ended_at IS NULL),
    EXISTS (SELECT FROM differencing_tracklet_members WHERE candidate_id = ANY(%(candidates)s)),
    EXISTS (
        SELECT FROM curation_goldanswer given JOIN curation_golditem item ON item.id = given.item_id
        WHERE item.detection_id = %(first)s AND given.person_id = %(person)s
    ),
    EXISTS (
        SELECT FROM curation_lease
        WHERE detection_id = %(first)s AND holder_id = %(person)s AND expires_at > STATEMENT_TIMESTAMP()
    )
"""


@dataclass(frozen=True)
class Around:
    """Detections whose locks are held, in the order of their keys, and what there is beside them.

    is_said : somebody has said something about one of them. is_repeated : one of the events is kept already. is_put_off
    : somebody has put one off. may_move : one is in a tracklet. is_known : the first is an item with a known answer
    that the person was given. is_leased : they hold the first, by itself.
    """

    detections: dict[UUID, Detection]
    is_said: bool
    is_repeated: bool
    is_put_off: bool
    may_move: bool
    is_known: bool
    is_leased: bool


def lock(detections: Collection[UUID], events: Collection[UUID], user: User) -> Around:
    """Lock the detections of an answer of a person, the one on screen first.

    Those that are gone are left out, and those of surveys that are hidden from the person.
    """
    keys = shown_among(detections, user)
    rows: dict[UUID, Detection] = {row.pk: row for row in Detection.objects.raw(_LOCKED, [keys])}
    asked: dict[str, UUID | list[UUID] | None] = {
        "keys": keys,
        "events": list(events),
        "candidates": [row.candidate_id for row in rows.values() if row.candidate_id is not None],
        "first": next((key for key in list(detections)[:1] if key in keys), None),
        "person": user.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(_AROUND, asked)
        return Around(rows, *cursor.fetchone())
