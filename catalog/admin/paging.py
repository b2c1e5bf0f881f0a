"""Pages of long lists, without counting all of their rows."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.utils.functional import cached_property

from catalog.counting import count_bounded

# Whoever looks for a row beyond these narrows the list; a deeper page would read all rows before it.
MOST_COUNTED = 10_000


class BoundedPaginator(Paginator):
    """Counts up to a bound: a count of a million rows takes longer than showing fifty of them."""

    template_name = "admin/pagination_bounded.html"
    most_counted = MOST_COUNTED
    object_list: QuerySet[Model]

    @cached_property
    def _counted(self) -> int:
        return count_bounded(self.object_list, self.most_counted)

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.most_counted)

    @property
    def has_more(self) -> bool:
        """Say whether there are rows beyond those that are counted."""
        return self._counted > self.most_counted
