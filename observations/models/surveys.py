"""Who delivers, and who may see what they deliver."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q

from catalog.models import Record, RecordQuerySet
from catalog.roles import ROLES

# The surveys that are hidden from the account `%(user)s`: they name groups, and it is in none of these.
HIDDEN = """
SELECT DISTINCT closed.survey_id FROM observations_survey_groups closed
WHERE closed.survey_id NOT IN (
    SELECT opened.survey_id FROM observations_survey_groups opened
    JOIN catalog_user_groups member ON member.group_id = opened.group_id WHERE member.user_id = %(user)s
)
"""
# Of frames from this computer.
LOCAL_SURVEY = "local"
# What a role may do is no question of surveys: a group that is named here is none of the roles.
IS_TEAM = ~Q(name__in=ROLES)


class SurveyQuerySet(RecordQuerySet):
    """Who may see what."""

    def closed_beside(self, own: UUID) -> frozenset[UUID]:
        """Return the keys of the surveys that name teams, but for one: what is made for whoever may see what is of
        that one holds nothing of the others."""
        return frozenset(self.exclude(pk=own).filter(groups__isnull=False).values_list("pk", flat=True))


class Survey(Record):
    """Who delivers; frames from a folder of this computer belong to the survey `local`."""

    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    base_url = models.URLField(max_length=500, blank=True)
    api_endpoint = models.URLField(max_length=500, blank=True)
    is_active = models.BooleanField(default=True)
    groups = models.ManyToManyField(
        Group,
        blank=True,
        related_name="surveys",
        limit_choices_to=IS_TEAM,
        verbose_name="teams",
        help_text="Who may see what is of this survey, beside administrators; none: everybody whose role may.",
    )

    way_to_survey = "pk"

    objects = SurveyQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


# Without its last team a survey would be shown to all: a team is not deleted while a survey names it.
Survey.groups.through._meta.get_field("group").remote_field.on_delete = models.PROTECT
