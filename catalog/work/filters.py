"""What narrows the list of jobs."""

from __future__ import annotations

import django_filters
from django import forms
from django.conf import settings
from django.db.models import QuerySet

from catalog.failures import failure_code_choices
from catalog.models import JobStatus, ProcessingJob
from catalog.web.filters import AT, FROM_TO, ONE_OF, ListFilter, OneOfFilter
from catalog.work import stages


def _job_types() -> list[tuple[str, str]]:
    return [(name, name) for name in stages.job_types()]


class JobFilter(ListFilter):
    """Which jobs to show."""

    controls = ("status", "job_type", "queue", "failure_code", "entity_id", "workflow_id")

    status = django_filters.ChoiceFilter(choices=JobStatus, label="State", empty_label="Any")
    job_type = django_filters.ChoiceFilter(choices=_job_types, label="Stage", empty_label="Any")
    job_type__in = OneOfFilter("job_type", choices=_job_types)
    queue = django_filters.ChoiceFilter(
        choices=[(name, name) for name in settings.QUEUES], method="in_queue", label="Queue", empty_label="Any"
    )
    failure_code = django_filters.ChoiceFilter(choices=failure_code_choices, label="Reason", empty_label="Any")
    entity_id = django_filters.CharFilter(
        label="Target", max_length=64, widget=forms.TextInput(attrs={"placeholder": "ID or night"})
    )
    workflow_id = django_filters.CharFilter(label="Workflow", max_length=64)

    class Meta:
        model = ProcessingJob
        fields = {
            "job_type": ONE_OF, "entity_type": AT, "entity_id": AT, "status": ONE_OF, "workflow_id": AT,
            "failure_code": ONE_OF, "created_at": FROM_TO,
        }  # fmt: skip

    def in_queue(self, rows: QuerySet[ProcessingJob], _name: str, queue: str) -> QuerySet[ProcessingJob]:
        """Keep the jobs that workers of a queue do."""
        return rows.filter(job_type__in=stages.types_of(queue))
