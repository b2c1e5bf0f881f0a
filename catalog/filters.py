"""What narrows the lists of jobs and of the audit log."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from catalog.models import JobStatus, ProcessingJob


class JobFilter(django_filters.FilterSet):
    """Which jobs to show."""

    status = django_filters.ChoiceFilter(choices=JobStatus, label="State")
    job_type = django_filters.CharFilter(label="Stage")
    workflow_id = django_filters.CharFilter(label="Workflow")

    class Meta:
        model = ProcessingJob
        fields: list[str] = []

    @property
    def qs(self) -> QuerySet[ProcessingJob]:
        """Return nothing where a value cannot be read: a filter that is passed over would show too much."""
        return super().qs if self.is_valid() else self.queryset.none()
