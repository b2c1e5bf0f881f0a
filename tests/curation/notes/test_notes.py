"""Notes on objects: they follow the object, tell whom they name, and tell the blind nothing too early."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import AuditLog, SystemConfig, User
from catalog.people import audit
from curation.models import Mention, Note
from curation.notes.notes import mark_seen, notes_on, told_mentions, withdraw_note, write_note
from detection.models import Detection
from tests.clients import account
from tests.curation.looks import judge
from tests.factories import DetectionFactory, SourceFactory, UserFactory

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def write(text: str, row: Detection, author: User) -> Note:
    return write_note(row, text, author, audit.Actor(author))


def test_a_note_stands_on_every_page_of_its_object():
    source, author = SourceFactory(), account("curator")
    first, second = DetectionFactory(source=source), DetectionFactory(source=source)
    client = client_of(author)
    client.post(reverse("curation:write_note", args=[first.pk]), {"text": "Host is a spiral <b>"})
    for address in (f"/detections/{second.pk}/", f"/sources/{source.pk}/"):
        assert "Host is a spiral &lt;b&gt;" in client.get(address).content.decode()
    assert AuditLog.objects.get(action="note_written").new_values["text"] == "Host is a spiral <b>"


def test_people_who_are_named_are_told_until_they_have_seen_it():
    row, author, ann = DetectionFactory(), UserFactory(), UserFactory(username="Ann.Bo")
    UserFactory(username="gone", is_active=False)
    note = write("See this, @ann.bo. Not mail@ann.bo, @gone, @nobody or @ann.bo again", row, author)
    assert [mention.person for mention in Mention.objects.all()] == [ann]
    assert [(mention.note, is_hidden) for mention, is_hidden in told_mentions(ann, 5)] == [(note, False)]
    assert mark_seen([note], ann) == 1
    assert told_mentions(ann, 5) == []


def test_who_names_themselves_is_not_told():
    author = UserFactory(username="me")
    write("@me", DetectionFactory(), author)
    assert not Mention.objects.exists()


def test_the_blind_read_notes_of_others_after_their_own_answer():
    SystemConfig.objects.create(key="curation.blind", value=True)
    row, author, reader = DetectionFactory(), account("curator"), account("curator")
    note = write(f"A ghost, @{reader.username}", row, author)
    own = write("Hm", row, reader)
    assert notes_on([row.pk], reader) == [own]
    assert [is_hidden for _, is_hidden in told_mentions(reader, 5)] == [True]
    page = client_of(reader).get("/").content.decode()
    assert "A ghost" not in page
    assert "that you have not answered about" in page
    judge(row, True, person=reader)
    assert notes_on([row.pk], reader) == [own, note]
    assert "A ghost" in client_of(reader).get("/").content.decode()


def test_only_its_author_takes_a_note_back_and_the_audit_log_keeps_it():
    author, other = account("curator"), account("administrator")
    note = write("Wrong", DetectionFactory(), author)
    address = reverse("curation:withdraw_note", args=[note.pk])
    assert client_of(other).post(address).status_code == 404
    client_of(author).post(address)
    assert notes_on([note.detection_id], author) == []
    assert AuditLog.objects.get(action="note_withdrawn").old_values["text"] == "Wrong"


def test_a_note_that_was_taken_back_names_nobody_any_more():
    ann = UserFactory(username="ann")
    note = write("@ann", DetectionFactory(), UserFactory())
    withdraw_note(note, audit.Actor(None))
    assert told_mentions(ann, 5) == []


def test_an_empty_note_is_not_saved():
    row, author = DetectionFactory(), account("curator")
    answer = client_of(author).post(reverse("curation:write_note", args=[row.pk]), {"text": " "}, follow=True)
    assert "The note was not saved" in answer.content.decode()
    assert not Note.objects.exists()
