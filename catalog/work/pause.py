"""What an administrator, or the lack of space, lets rest: what is queued waits meanwhile, and nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.configuration.values import Snapshot, acceptable
from catalog.files import disk


class IngestPaused(Exception):
    """Files are not taken at present; the text says why and what to do."""


@dataclass(frozen=True)
class Pauses:
    """Why what rests at present: a word for machines, and a sentence for people; "" where it goes on."""

    ingest: str = ""
    ingest_words: str = ""
    publishing: str = ""
    publishing_words: str = ""


def pauses() -> Pauses:
    """Look at the configuration and the disk. A value of another key that is to be put right pauses nothing."""
    config = acceptable()
    ingest, words = _of_ingest(config)
    if not config["alerts.publishing_paused"]:
        return Pauses(ingest, words)
    publishing = (
        "Publishing is paused by an administrator (alerts.publishing_paused). Alerts are kept, and go out as soon as "
        "it is resumed."
    )
    return Pauses(ingest, words, "by an administrator", publishing)


def _of_ingest(config: Snapshot) -> tuple[str, str]:
    if config["ingest.paused"]:
        return "by an administrator", (
            "Ingest is paused by an administrator (ingest.paused). What is queued waits, and goes on as soon as ingest "
            "is resumed."
        )
    least_gb = config["ingest.least_free_gb"]
    # Where the data root is gone, the work itself says so.
    free_gb = disk.free_gb() if least_gb else None
    if free_gb is None or free_gb >= least_gb:
        return "", ""
    return "too little space on the disk", (
        f"Ingest is paused: {free_gb:.1f} GB are free on the disk, less than {least_gb:g} (ingest.least_free_gb). What "
        "is queued waits, and goes on by itself as soon as there is space."
    )
