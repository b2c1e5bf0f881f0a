"""Tags that people give with their answers: free words, of which those in use are offered."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from catalog.hiding import hidden_from
from catalog.models import Visitor

# Of the latest answers so many are looked through: what was used long ago only is not offered.
_LOOKED_THROUGH = 2000
_MOST_OFFERED = 40
_IN_USE = """
SELECT tag FROM (
    SELECT tags, row_number() OVER (ORDER BY created_at DESC, id DESC) AS place
    FROM curation_validationevent {shown} ORDER BY created_at DESC, id DESC LIMIT %(most)s
) latest, jsonb_array_elements_text(tags) tag
GROUP BY tag ORDER BY count(*) DESC, min(place) LIMIT %(offered)s
"""
_SHOWN = """
WHERE detection_id NOT IN (
    SELECT hidden.id FROM detection_detection hidden
    JOIN observations_observation frame ON frame.id = hidden.observation_id WHERE frame.survey_id = ANY(%(hidden)s)
)
"""


def tags_in_use(user: Visitor) -> list[str]:
    """Return the tags of the latest answers about what a person may see, those used most first, then the latest."""
    hidden = list(hidden_from(user))
    asked: dict[str, int | list[UUID]] = {"most": _LOOKED_THROUGH, "offered": _MOST_OFFERED, "hidden": hidden}
    with connection.cursor() as cursor:
        cursor.execute(_IN_USE.format(shown=_SHOWN if hidden else ""), asked)
        return [tag for (tag,) in cursor.fetchall()]
