"""A page of triage as its script sees the server."""

from __future__ import annotations

import json
from uuid import uuid4

from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from catalog.ids import uuid7
from catalog.models import User
from tests.factories import UserFactory

# What the page says of its screen.
SHOWN = {"images": ["science", "reference", "difference"]}


class Window:
    """A page of triage as its script sees the server."""

    def __init__(self, user: User | None = None) -> None:
        self.user = user or UserFactory()
        self.user.groups.add(Group.objects.get(name="curator"))
        self.client = Client()
        self.client.force_login(self.user)
        self.key = str(uuid4())

    def send(self, name: str, **body):
        given = {"window": self.key, "person": str(self.user.pk), **body}
        return self.client.post(reverse(f"curation:{name}"), json.dumps(given), content_type="application/json")

    def take(self, count: int = 3, **body):
        answer = self.send("triage_next", count=count, **body)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def answer(self, row, is_valid: bool | None = True, **more):
        body = {"id": str(uuid7()), "detection": str(row.pk), "kind": "verdict"}
        body |= {"is_valid": is_valid, "confidence_level": "medium", "was_held": True, "visible_context": SHOWN}
        return self.send("triage_answers", **{**body, **more})

    def page(self, query: str = ""):
        return self.client.get(reverse("curation:triage") + query)


def ids(given: dict) -> list[str]:
    return [item["id"] for item in given["items"]]
