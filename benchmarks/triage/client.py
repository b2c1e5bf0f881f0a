"""A curator without a browser, who asks and answers as the page of triage does."""

from __future__ import annotations

import time
from typing import TypedDict
from uuid import uuid4

import httpx

# As many are asked for at once as the page asks for.
BUNDLE = 16
_IMAGES = ["science", "reference", "difference"]
# Django compares what a cookie says with what a header says.
_TOKEN = "b" * 32


class Epoch(TypedDict, total=False):
    """An epoch of an object, as far as it is looked at here."""

    id: str
    is_open: bool


class Item(TypedDict):
    """An item of triage, as far as it is looked at here."""

    id: str
    all_pixels: str
    epochs: list[Epoch]
    unseen: list[str]


class Curator:
    """A person at a window: what they were given, and in how many milliseconds each answer was saved."""

    def __init__(self, address: str, person: str, session: str) -> None:
        cookies = {"sessionid": session, "csrftoken": _TOKEN}
        self.client = httpx.Client(base_url=address, cookies=cookies, headers={"X-CSRFToken": _TOKEN}, timeout=60)
        self.said = {"person": person, "window": str(uuid4()), "by_detection": False}
        self.items: list[Item] = []
        self.given: list[list[str]] = []
        self.saves: list[float] = []

    def fetch(self, count: int = BUNDLE) -> int:
        """Take the next items; return the bytes of what told of them, compressed."""
        last = self.given[-1][0] if self.given else None
        held = [item["id"] for item in self.items]
        body = self.said | {"query": "", "count": count, "after": last, "holding": held}
        answer = self.client.post("/triage/next", json=body)
        answer.raise_for_status()
        fresh = answer.json()["items"]
        self.items += fresh
        self.given += [detections_of(item) for item in fresh]
        return answer.num_bytes_downloaded

    def look(self, item: Item) -> int:
        """Load the pixels of an item; return their bytes, compressed."""
        answer = self.client.get(item["all_pixels"])
        answer.raise_for_status()
        return answer.num_bytes_downloaded

    def answer(self) -> None:
        """Answer about the first item that is held."""
        item = self.items.pop(0)
        keys = [key for key in detections_of(item) if key != item["id"]]
        body = self.said | {
            "id": str(uuid4()), "detection": item["id"], "group": str(uuid4()), "kind": "verdict", "is_valid": True,
            "label": "", "confidence_level": "medium", "was_held": True, "visible_context": {"images": _IMAGES},
            "others": [{"id": str(uuid4()), "detection": key, "shown": "strip"} for key in keys],
        }  # fmt: skip
        begun = time.perf_counter()
        answer = self.client.post("/triage/answers", json=body)
        self.saves.append(1000 * (time.perf_counter() - begun))
        if answer.status_code != httpx.codes.CREATED:
            raise RuntimeError(answer.text)

    def leave(self) -> None:
        """Give back what is held: while many hold something, each window gets less."""
        self.client.post("/triage/release", json=self.said).raise_for_status()


def detections_of(item: Item) -> list[str]:
    """Return the detections that an answer about an item is about, the one that is shown first at the beginning."""
    others = [epoch["id"] for epoch in item["epochs"] if epoch["id"] != item["id"] and epoch.get("is_open")]
    return [item["id"], *others, *item["unseen"]]
