"""Tags that people give with their answers: free words, of which those in use are offered."""

from __future__ import annotations

from collections import Counter

from curation.models import ValidationEvent

# Of the latest answers so many are looked through: what was used long ago only is not offered.
_LOOKED_THROUGH = 2000
_MOST_OFFERED = 40


def tags_in_use() -> list[str]:
    """Return the tags of the latest answers, those used most first."""
    latest = ValidationEvent.objects.order_by("-created_at", "-id").values_list("tags", flat=True)
    counts = Counter(tag for tags in latest[:_LOOKED_THROUGH] for tag in tags)
    return [tag for tag, _ in counts.most_common(_MOST_OFFERED)]
