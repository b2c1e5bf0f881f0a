"""What narrows the lists of jobs and of the audit log."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet

from catalog.failures import failure_code_choices
from catalog.models import AuditLog, JobStatus, ProcessingJob, User
from catalog.work.stages import job_types, types_of


class _ListFilter(django_filters.FilterSet):
    @property
    def qs(self) -> QuerySet[Any]:
        """Return nothing where a value cannot be read: a filter that is passed over would show too much."""
        return super().qs if self.is_valid() else self.queryset.none()


def _stages() -> list[tuple[str, str]]:
    return [(name, name) for name in job_types()]


def _time_input() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class JobFilter(_ListFilter):
    """Which jobs to show."""

    status = django_filters.ChoiceFilter(choices=JobStatus, label="State", empty_label="Any")
    job_type = django_filters.ChoiceFilter(choices=_stages, label="Stage", empty_label="Any")
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
        fields: list[str] = []

    def in_queue(self, rows: QuerySet[ProcessingJob], _name: str, queue: str) -> QuerySet[ProcessingJob]:
        """Keep the jobs that workers of a queue do."""
        return rows.filter(job_type__in=types_of(queue))


class AuditFilter(_ListFilter):
    """Which lines of the audit log to show."""

    user = django_filters.CharFilter(method="by", label="Who", max_length=150)
    action = django_filters.CharFilter(
        label="Action", max_length=64, widget=forms.TextInput(attrs={"placeholder": "set_configuration"})
    )
    entity_type = django_filters.CharFilter(
        label="Object", max_length=64, widget=forms.TextInput(attrs={"placeholder": "observation"})
    )
    entity_id = django_filters.CharFilter(label="Key", max_length=64)
    since = django_filters.IsoDateTimeFilter("created_at", "gte", label="From (UTC)", widget=_time_input())
    until = django_filters.IsoDateTimeFilter("created_at", "lt", label="Until (UTC)", widget=_time_input())

    class Meta:
        model = AuditLog
        fields: list[str] = []

    def by(self, rows: QuerySet[AuditLog], _name: str, name: str) -> QuerySet[AuditLog]:
        """Keep what an account did: by its key, which has an index, or by the name of one that is gone."""
        keys = [str(key) for key in User.objects.filter(username=name).values_list("pk", flat=True)]
        return rows.filter(Q(user_id__in=keys) if keys else Q(user=name))
