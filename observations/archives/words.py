"""What an archive answered, in words."""

from __future__ import annotations

from catalog.models import RunStatus
from observations.models import ArchiveRun, RunPurpose

_UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def answer_in_words(run: ArchiveRun) -> str:
    """Return what an asking came to: why it failed, or how many images of how many bytes."""
    if run.status == RunStatus.FAILED:
        return run.error_message
    if run.status != RunStatus.COMPLETED:
        return ""
    if run.purpose == RunPurpose.TEST:
        return run.words
    new = run.new_count
    said = [f"{'more than ' if run.is_more else ''}{new} new image{'' if new == 1 else 's'}"]
    if run.size_bytes:
        said.append(size_in_words(run.size_bytes))
    if run.unsized_count:
        said.append(f"{run.unsized_count} of unknown size")
    if run.known_count:
        said.append(f"{run.known_count} known already")
    if run.refused_count:
        said.append(f"{run.refused_count} not to be fetched")
    return f"{', '.join(said)}. {run.words}".strip()


def size_in_words(count: int) -> str:
    """Return bytes in the unit that fits."""
    for unit, name in _UNITS:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"
