"""What people do with the archives of surveys: say what is asked and when, try it, switch it on and off."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from catalog.failures import NotPossible
from catalog.files import storage
from catalog.files.addresses import AddressRefused, check_url
from catalog.people import audit
from observations.archives import schedule
from observations.archives.courtesy import database_now
from observations.archives.ordering import order_run
from observations.archives.question import Question, QuestionRefused, written
from observations.models import LOCAL_SURVEY, Archive, ArchiveKind, ArchiveRun, RunPurpose, Survey

_NOTED = (
    "kind", "folder", "question", "every_minutes", "nightly_at", "begins_at", "overlap_hours", "most_per_night",
    "credential",
)  # fmt: skip


class Refused(ValueError):
    """Such an archive is not kept; the text says why."""


@dataclass(frozen=True)
class Wish:
    """How a survey is to be read: `place` is an address, or a folder on the machine of the workers."""

    survey: str
    kind: ArchiveKind
    place: str
    question: Question
    begins_at: dt.datetime
    every_minutes: int | None = None
    nightly_at: dt.time | None = None
    overlap_hours: float = 48.0
    most_per_night: int = 500
    credential: str = ""


@transaction.atomic
def keep(wish: Wish, actor: audit.Actor, row: Archive | None = None) -> Archive:
    """Make an archive, off, or change one; its survey is made where there is none of that name. Raises Refused."""
    _check(wish)
    survey = row.survey if row else _survey(wish.survey.strip())
    archive = row or Archive(survey=survey)
    before = {} if row is None else _told(archive)
    archive.kind, archive.begins_at = wish.kind, wish.begins_at
    archive.folder = wish.place if wish.kind == ArchiveKind.FOLDER else ""
    if wish.kind != ArchiveKind.FOLDER:
        setattr(survey, "api_endpoint" if wish.kind == ArchiveKind.SIA2 else "base_url", wish.place)
        survey.save()
    try:
        archive.question = written(wish.question)
    except QuestionRefused as refusal:
        raise Refused(str(refusal)) from refusal
    archive.every_minutes, archive.nightly_at = wish.every_minutes, wish.nightly_at
    archive.overlap_hours, archive.most_per_night = wish.overlap_hours, wish.most_per_night
    archive.credential = wish.credential
    after = _told(archive)
    if any(before.get(name) != after[name] for name in (*schedule.OF_QUESTION, "address")):
        archive.seen_until = archive.goes_on_at = None
    archive.next_at = _first_time(archive)
    archive.save()
    what = "change_archive" if row else "add_archive"
    changed = {name for name in after if before.get(name) != after[name]}
    old, new = ({name: values.get(name) for name in changed} for values in (before, after))
    audit.record(archive, what, actor=actor, summary=str(archive), old=old if row else {}, new=new)
    return archive


@transaction.atomic
def switch(archive: Archive, *, is_on: bool, actor: audit.Actor) -> None:
    """Ask an archive by itself from now on, or no more; what is being fetched is fetched all the same."""
    row = Archive.objects.select_related("survey").select_for_update(of=("self",)).get(pk=archive.pk)
    if row.is_on == is_on:
        return
    if is_on:
        _check_place(row.kind, row.address)
    row.is_on = is_on
    row.next_at = _first_time(row)
    row.save()
    what = "switch_archive_on" if is_on else "switch_archive_off"
    audit.record(row, what, actor=actor, old={"is_on": not is_on}, new={"is_on": is_on})


@transaction.atomic
def order(archive: Archive, purpose: RunPurpose, actor: audit.Actor) -> ArchiveRun:
    """Ask an archive as soon as there is room. NotPossible for one that is off, but to try it; Refused without a place.

    What is off fetches nothing, and so finds nothing for that.
    """
    if purpose == RunPurpose.FETCH and not archive.is_on:
        raise NotPossible("This archive is off: switch it on to fetch from it. A preview shows what it would give.")
    _check_place(archive.kind, archive.address)
    run = order_run(archive, purpose, actor)
    audit.record(archive, "ask_archive", actor=actor, new={"purpose": purpose, "run": str(run.pk)})
    return run


def _survey(name: str) -> Survey:
    if not name or name == LOCAL_SURVEY:
        raise Refused(f"Give the survey a name that is not {LOCAL_SURVEY!r}: that one is this computer's own frames.")
    survey, _ = Survey.objects.get_or_create(name=name)
    if Archive.objects.filter(survey=survey).exists():
        raise Refused(f"{name} has an archive already: change that one.")
    return survey


def _check(wish: Wish) -> None:
    _check_place(wish.kind, wish.place)
    if wish.every_minutes is not None and wish.nightly_at is not None:
        raise Refused("Give either minutes or a time of the night, not both.")
    if wish.credential and wish.credential not in settings.ASTRID_ARCHIVE_TOKENS:
        raise Refused(f"ASTRID_ARCHIVE_TOKENS holds no token called {wish.credential!r}.")


def _check_place(kind: str, place: str) -> None:
    """Refuse what cannot be read: no web address, or a folder that may hold what this program itself has written."""
    if kind != ArchiveKind.FOLDER:
        try:
            check_url(place)
        except AddressRefused as refusal:
            raise Refused(str(refusal)) from refusal
        return
    if not Path(place).is_absolute():
        raise Refused("Give the whole path of the folder, as the workers' machine knows it.")
    root, folder = storage.data_root().resolve(), Path(place).resolve()
    if folder == root or root in folder.parents or folder in root.parents:
        raise Refused("This folder holds AstrID's own data, or lies in them.")


def _first_time(archive: Archive) -> dt.datetime | None:
    """Return when an archive is asked first after a change: at once, but where it waits for a time of the night."""
    now = database_now()
    if archive.is_on and archive.every_minutes is not None:
        return now
    return schedule.next_time(archive, now)


def _told(archive: Archive) -> dict[str, object]:
    return {**{name: getattr(archive, name) for name in _NOTED}, "address": archive.address}
