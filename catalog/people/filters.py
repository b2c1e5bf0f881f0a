"""What narrows the audit log."""

from __future__ import annotations

from typing import ClassVar

import django_filters
from django import forms
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from catalog.models import AuditLog, User
from catalog.web.filters import AT, FROM_TO, ListFilter, TimeFilter


def _time_input() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class AuditFilter(ListFilter):
    """Which lines of the audit log to show."""

    controls = ("user", "action", "entity_type", "entity_id", "since", "until")

    user = django_filters.CharFilter(method="by", label="Who", max_length=150)
    action = django_filters.CharFilter(
        label="Action", max_length=64, widget=forms.TextInput(attrs={"placeholder": "set_configuration"})
    )
    entity_type = django_filters.CharFilter(
        label="Object", max_length=64, widget=forms.TextInput(attrs={"placeholder": "observation"})
    )
    entity_id = django_filters.CharFilter(label="Key", max_length=64)
    since = TimeFilter("created_at", "gte", label="From (UTC)", widget=_time_input())
    until = TimeFilter("created_at", "lt", label="Until (UTC)", widget=_time_input())

    class Meta:
        model = AuditLog
        fields = {"entity_type": AT, "entity_id": AT, "action": AT, "user_id": AT, "created_at": FROM_TO}

    def by(self, rows: QuerySet[AuditLog], _name: str, name: str) -> QuerySet[AuditLog]:
        """Keep what an account did: by its key, which has an index, or by the name of one that is gone."""
        keys = [str(key) for key in User.objects.filter(username=name).values_list("pk", flat=True)]
        return rows.filter(Q(user_id__in=keys) if keys else Q(user=name))


class PeopleFilter(ListFilter):
    """Which accounts to show."""

    controls = ("who", "role")

    who = django_filters.CharFilter(method="by", label="Name or e-mail", max_length=150)
    role = django_filters.ModelChoiceFilter(
        field_name="groups", queryset=Group.objects.order_by("name"), label="Role or team", empty_label="any"
    )

    class Meta:
        model = User
        fields: ClassVar[dict[str, list[str]]] = {}

    def by(self, rows: QuerySet[User], _name: str, text: str) -> QuerySet[User]:
        """Keep accounts whose name or address contains a text."""
        return rows.filter(Q(username__icontains=text) | Q(email__icontains=text))
