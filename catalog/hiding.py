"""Which surveys an account may not see; a lower app knows them by their keys only.

Settings name the question, in SQL: it is asked together with what the account may do, so that it costs no query more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db import connection
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from catalog.roles import MAY_KEEP_SURVEYS

# Whoever sends a request: somebody with an account, or anybody.
Asking = AbstractUser | AnonymousUser
Jobs = TypeVar("Jobs", bound=QuerySet)
# Kept with the account, which lives as long as a request.
KEPT = "hidden_surveys"
_NOTHING: frozenset[UUID] = frozenset()


@cache
def hidden_sql() -> str:
    """Return the question for the keys of the surveys that are hidden from the account `%(user)s`."""
    sql: str = import_string(settings.HIDDEN_SURVEYS)
    return sql


def hidden_from(user: Asking) -> frozenset[UUID]:
    """Return the keys of the surveys whose rows a person may not see; none for those who keep the surveys."""
    if user.has_perm(MAY_KEEP_SURVEYS):
        return _NOTHING
    kept: frozenset[UUID] | None = getattr(user, KEPT, None)
    if kept is None:
        with connection.cursor() as cursor:
            cursor.execute(hidden_sql(), {"user": user.pk})
            kept = frozenset(key for (key,) in cursor.fetchall())
        setattr(user, KEPT, kept)
    return kept


def files_outside(files: Jobs, surveys: Collection[UUID]) -> Jobs:
    """Return which removed files are of rows that are not hidden with some surveys."""
    narrowed: Callable[..., Jobs] = import_string(settings.HIDDEN_FILES)
    return narrowed(files, surveys)


def jobs_outside(jobs: Jobs, surveys: Collection[UUID], *, wholly: bool = False) -> Jobs:
    """Return the jobs that are about something which is not hidden with some surveys; what they name, settings know.

    wholly : those only that are about nothing else.
    """
    narrowed: Callable[..., Jobs] = import_string(settings.HIDDEN_JOBS)
    return narrowed(jobs, surveys, wholly=wholly)
