"""Notes on objects in the sky, and the people whom they name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower, Now

from catalog.models import User, Visitor
from catalog.people import audit
from curation.judgements import visibility
from curation.models import Mention, Note
from detection.models import Detection

# As account names are written; a point at the end closes the sentence.
_NAMED = re.compile(r"(?<![\w@])@([\w.+-]*[\w+-])")
_MOST_SHOWN = 50


@transaction.atomic
def write_note(detection: Detection, text: str, author: User, actor: audit.Actor) -> Note:
    """Keep a note on the object of a detection, and tell those whom it names with an @."""
    note = Note.objects.create(detection=detection, author=author, text=text)
    named = {name.lower() for name in _NAMED.findall(text)}
    people = User.objects.filter(is_active=True).annotate(lower=Lower("username")).filter(lower__in=named)
    Mention.objects.bulk_create(Mention(note=note, person=person) for person in people.exclude(pk=author.pk))
    audit.record(detection, "note_written", actor=actor, new={"note": str(note.pk), "text": text})
    return note


@transaction.atomic
def withdraw_note(note: Note, actor: audit.Actor) -> None:
    """Take a note back: it is shown no more, and stays in the audit log."""
    Note.objects.filter(pk=note.pk).update(withdrawn_at=Now())
    audit.record(note.detection, "note_withdrawn", actor=actor, old={"note": str(note.pk), "text": note.text})


def notes_on(detections: Collection[UUID], user: Visitor) -> list[Note]:
    """Return the notes on some detections that a person may read, the latest first; the blind after their answer."""
    hidden = visibility.hidden_from(user, detections)
    shown = Note.objects.not_hidden_from(user)
    rows = shown.filter(detection__in=[pk for pk in detections if pk not in hidden], withdrawn_at__isnull=True)
    own = Q(detection__in=hidden, author=user.pk, withdrawn_at__isnull=True)
    every = rows | shown.filter(own) if hidden else rows
    return list(every.select_related("author").order_by("-created_at", "-id")[:_MOST_SHOWN])


def unseen_mentions(user: User) -> QuerySet[Mention]:
    """Return where a person is named and has not looked yet."""
    shown = Mention.objects.not_hidden_from(user)
    unseen = shown.filter(person=user, seen_at__isnull=True, note__withdrawn_at__isnull=True)
    return unseen.select_related("note__author", "note__detection")


def told_mentions(user: User, most: int) -> list[tuple[Mention, bool]]:
    """Return the latest unseen mentions, and of each whether its words are hidden as yet."""
    mentions = list(unseen_mentions(user)[:most])
    hidden = visibility.hidden_from(user, [mention.note.detection_id for mention in mentions])
    return [(mention, mention.note.detection_id in hidden) for mention in mentions]


def mark_seen(notes: Iterable[Note], user: User) -> int:
    """Note that a person has seen where they are named; return how many."""
    return Mention.objects.filter(note__in=list(notes), person=user, seen_at__isnull=True).update(seen_at=Now())
