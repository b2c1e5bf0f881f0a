"""Why triage has nothing to show, in words, and what to do."""

from __future__ import annotations

from catalog import counting
from catalog.models import JobStatus, ProcessingJob, User
from curation.triage import queue
from curation.triage.queue import Holder, Queue
from detection.models import Detection


def why_empty(of: Queue, holder: Holder, left: queue.Rest, *, is_narrowed: bool) -> dict[str, str]:
    """Say why there is nothing, and what to do; `left` is the rest of the queue."""
    if left.held_in_other_windows:
        here = f"You have {left.held_in_other_windows} open in another window, or in one that was closed unexpectedly."
        return empty("other_window", "The rest is in your other window.", here)
    if left.held_by_others:
        them = f"{left.held_by_others} are being reviewed; any left unanswered come back here automatically."
        return empty("held", "Others are reviewing the rest.", them)
    if left.answered and of.status == "pending" and of.part is None:
        return empty("answered", "You have answered all of these.", "They await the answers of others.")
    if left.put_off and of.part is None:
        them = f"{left.put_off} that you have put off will come back by themselves."
        return empty("put_off", "Nothing else awaits review.", them)
    if of.part:
        return empty("no_part", _NONE_OF[of.part], "There may be more to review outside this selection.")
    if left.outside and is_narrowed:
        return empty("narrow", "Nothing in this selection awaits review.", "There is more to review outside it.")
    return _nothing_yet(holder.user)


_NONE_OF = {
    queue.Part.PUT_OFF: "You have put nothing off.",
    queue.Part.ASKED: "Nobody asks you for a second opinion.",
}


def _nothing_yet(user: User) -> dict[str, str]:
    """Say that nothing waits: whether more is on its way, or what to do."""
    frames = _in_work(user)
    work = f"{counting.counted(frames).capitalize()} frame{' is' if frames == 1 else 's are'} being worked on."
    coming = f"{work} What is found in {'it' if frames == 1 else 'them'} will appear here."
    if Detection.objects.visible_to(user).exists():
        text = coming if frames else "New detections will appear here."
        return empty("done", "Nothing is left to review.", text)
    if frames:
        return empty("in_work", "Nothing has been found yet.", coming)
    then = "Upload frames, and what the pipeline finds will appear here."
    return empty("none", "There are no detections yet.", then)


def _in_work(user: User) -> int:
    """Return on how many frames that a person may see there is work to do; a bounded count."""
    shown = ProcessingJob.objects.not_hidden_from(user)
    of_frames = shown.filter(entity_type="observation")
    unfinished = of_frames.filter(status__in=(JobStatus.PENDING, JobStatus.RUNNING))
    return counting.count_bounded(unfinished.values("entity_id").distinct())


def empty(code: str, title: str, text: str) -> dict[str, str]:
    return {"code": code, "title": title, "text": text}
