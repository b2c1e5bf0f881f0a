"""Tags that people give with their answers: free words, of which those in use are offered."""

from __future__ import annotations

from django.db import connection

# Of the latest answers so many are looked through: what was used long ago only is not offered.
_LOOKED_THROUGH = 2000
_MOST_OFFERED = 40
_IN_USE = """
SELECT tag FROM (
    SELECT tags, row_number() OVER (ORDER BY created_at DESC, id DESC) AS place
    FROM curation_validationevent ORDER BY created_at DESC, id DESC LIMIT %s
) latest, jsonb_array_elements_text(tags) tag
GROUP BY tag ORDER BY count(*) DESC, min(place) LIMIT %s
"""


def tags_in_use() -> list[str]:
    """Return the tags of the latest answers, those used most first, of equal ones the one used last."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_USE, (_LOOKED_THROUGH, _MOST_OFFERED))
        return [tag for (tag,) in cursor.fetchall()]
