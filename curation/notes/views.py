"""Writing notes on objects, taking one's own back, and having seen where one is named."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from catalog.models import User
from catalog.people.actors import actor_of
from catalog.roles import MAY_JUDGE
from catalog.web.access import requires
from curation.models import Note
from curation.notes.forms import NoteForm
from curation.notes.notes import mark_seen, unseen_mentions, withdraw_note, write_note
from detection.models import Detection


@requires(MAY_JUDGE)
@require_POST
def write(request: HttpRequest, detection_id: UUID) -> HttpResponse:
    """Keep a note on the object of a detection."""
    row = get_object_or_404(Detection.with_injected.visible_to(request.user), pk=detection_id)
    form = NoteForm(request.POST)
    if form.is_valid():
        write_note(row, form.cleaned_data["text"], cast(User, request.user), actor_of(request))
    else:
        messages.warning(request, f"The note was not saved. {form.errors.get('text', [''])[0]}")
    return redirect("curation:detection", row.pk)


@requires(MAY_JUDGE)
@require_POST
def withdraw(request: HttpRequest, note_id: UUID) -> HttpResponse:
    """Take one of one's own notes back."""
    shown = Note.objects.not_hidden_from(request.user)
    note = get_object_or_404(shown, pk=note_id, author=request.user.pk, withdrawn_at__isnull=True)
    withdraw_note(note, actor_of(request))
    messages.success(request, "The note was taken back.")
    return redirect("curation:detection", note.detection_id)


@requires(MAY_JUDGE)
@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """Note that one has seen all places where one is named."""
    user = cast(User, request.user)
    mark_seen([mention.note for mention in unseen_mentions(user)], user)
    return redirect("home")
