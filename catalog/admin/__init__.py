"""The system's own records in the admin; the bases and columns of every other app's."""

from catalog.admin import audit_log, configuration, jobs, locks, logins, people, retention, seals, tokens
from catalog.admin.bases import AuditedAdmin, ProductAdmin, RecordAdmin, ask
from catalog.admin.columns import EMPTY, Column, link, list_link, number, reason, related, related_links, state
from catalog.admin.filters import DropdownFilter, ExactTextFilter, IndexedValuesFilter, ShownRowsFilter, YesNoFilter
from catalog.admin.paging import MOST_COUNTED

__all__ = [
    "EMPTY", "MOST_COUNTED", "AuditedAdmin", "Column", "DropdownFilter", "ExactTextFilter", "IndexedValuesFilter",
    "ProductAdmin", "RecordAdmin", "ShownRowsFilter", "YesNoFilter", "ask", "audit_log", "configuration", "jobs",
    "link", "list_link", "locks", "logins", "number", "people", "reason", "related", "related_links", "retention",
    "seals", "state", "tokens",
]  # fmt: skip
