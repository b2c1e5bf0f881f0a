"""Ask an archive once: what it offers becomes rows, which are fetched one after another."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

from django.db.models import DateTimeField, F
from django.db.models.functions import Coalesce, Least

from catalog.failures import FailureCode, StageFailure
from catalog.files.addresses import AddressRefused
from catalog.files.outgoing import DownloadFailed
from catalog.models import RunStatus
from catalog.work import jobs
from catalog.work.pause import pauses
from observations.archives import courtesy, schedule, sia2
from observations.archives.door import door_of
from observations.archives.found import Found, Listing, ListRefused, Window
from observations.archives.index import read_list
from observations.archives.products import Tally, remember, told_apart, weigh
from observations.archives.question import question_of
from observations.delivery.watch import Look, look, order
from observations.models import Archive, ArchiveKind, ArchiveRun, RunPurpose

# One asking takes no more requests than this; the next one goes on from there.
MOST_QUESTIONS = 64
# So many names and reasons are shown.
_MOST = 10


def run(run_id: str) -> None:
    """Ask the archive of a run, and put down what it answered. Raises StageFailure where it gave no answer."""
    row = ArchiveRun.objects.select_related("archive__survey").get(pk=run_id)
    if row.status != RunStatus.RUNNING:
        return
    asking = _Asking(row)
    try:
        asking.go()
    except AddressRefused as refusal:
        raise StageFailure(FailureCode.ADDRESS_REFUSED, str(refusal)) from refusal
    except ListRefused as refusal:
        raise StageFailure(FailureCode.DOWNLOAD_FAILED, str(refusal)) from refusal
    except DownloadFailed as failure:
        code = FailureCode.NETWORK_FAULT if failure.is_transient else FailureCode.DOWNLOAD_FAILED
        raise StageFailure(code, str(failure), retry_after_s=failure.retry_after_s) from failure
    with jobs.writing(last=True):
        asking.write_down()


def abandon(run_id: str, code: FailureCode, sentence: str) -> None:
    """End a run that gave no answer, and say when the archive is asked again."""
    now = courtesy.database_now()
    unfinished = ArchiveRun.objects.filter(pk=run_id, status=RunStatus.RUNNING)
    if code in jobs.WAITS_OUT or not unfinished.update(
        status=RunStatus.FAILED, failure_code=code, error_message=sentence, completed_at=now
    ):
        return
    row = ArchiveRun.objects.select_related("archive__survey").get(pk=run_id)
    if row.purpose == RunPurpose.FETCH:
        archive = row.archive
        next_at = schedule.after_failure(archive, now, courtesy.rest_left(courtesy.host_of(archive.address)))
        # Where one is noted already, the schedule was changed meanwhile.
        sooner = Coalesce(Least("next_at", next_at), next_at, output_field=DateTimeField())
        Archive.objects.filter(pk=archive.pk).update(failures=F("failures") + 1, next_at=next_at and sooner)


class _Asking:
    """One asking of an archive: its requests, and what was found by them."""

    def __init__(self, row: ArchiveRun) -> None:
        self._row, self._archive = row, row.archive
        self._question, self._now = question_of(row.archive), courtesy.database_now()
        self._door = door_of(row.archive)
        self._tally, self._names, self._refusals = Tally(), list[str](), list[str]()
        self._words, self._is_more = "", False

    def go(self) -> None:
        """Ask all that is to be asked; what was found is written as it comes."""
        if self._row.purpose == RunPurpose.TEST:
            self._words = self._test()
        elif self._archive.kind == ArchiveKind.SIA2:
            self._ask_by_time()
        elif self._archive.kind == ArchiveKind.LIST:
            self._take(read_list(self._archive, self._question, self._door))
        else:
            self._look_into_folder()

    def write_down(self) -> None:
        """Write what the asking came to, and when the next one is due."""
        row, tally = self._row, self._tally
        row.status, row.completed_at = RunStatus.COMPLETED, courtesy.database_now()
        row.found_count, row.known_count, row.refused_count = tally.found, tally.known, tally.refused
        row.size_bytes, row.unsized_count = tally.size_bytes, tally.unsized
        row.names, row.refusals = self._names, self._refusals
        row.words, row.is_more = self._words, self._is_more
        row.save()
        if row.purpose == RunPurpose.FETCH:
            archive = self._as_it_is()
            next_at = schedule.next_time(archive, row.completed_at)
            if self._is_more and next_at is not None:
                next_at = min(next_at, row.completed_at + schedule.SOON)
            if schedule.is_same(archive, self._archive):
                Archive.objects.filter(pk=archive.pk).update(next_at=next_at)
            Archive.objects.filter(pk=archive.pk).update(failures=0)

    def _as_it_is(self) -> Archive:
        """Return the archive, held to the end of the transaction: people may have changed it since it was asked."""
        return Archive.objects.select_related("survey").select_for_update(of=("self",)).get(pk=self._archive.pk)

    def _test(self) -> str:
        """Return what an archive says to a question about a single image."""
        if self._archive.kind == ArchiveKind.FOLDER:
            return f"The folder is there; {len(self._look().settled)} files in it are new."
        if self._archive.kind == ArchiveKind.LIST:
            listing = read_list(self._archive, replace(self._question, depth=0), self._door)
            return f"It answers, and names {len(listing.found)} files. {listing.words}".strip()
        window = schedule.window_of(self._archive, self._now)
        listing = sia2.ask(self._archive.address, self._question, window, self._door, most_rows=1)
        return f"It answers, with {'an image' if listing.found else 'no image'} of this time. {listing.words}".strip()

    def _ask_by_time(self) -> None:
        """Ask for a span of time, and for its halves where an answer is cut short: the oldest first."""
        row, left = self._row, [schedule.window_of(self._archive, self._now)]
        row.window_from, row.window_to = left[0].start, left[0].end
        while left:
            jobs.check()
            if row.question_count == MOST_QUESTIONS:
                self._is_more = True
                break
            window = left.pop()
            row.question_count += 1
            listing = sia2.ask(self._archive.address, self._question, window, self._door)
            if listing.is_short and row.purpose == RunPurpose.PREVIEW:
                self._is_more = True
                left.clear()
            elif listing.is_short:
                left += reversed(_halves(window, listing))
                continue
            self._take(listing, left[-1].start if left else None)

    def _take(self, listing: Listing, goes_on_at: dt.datetime | None = None) -> None:
        """Write down a whole answer, and how far the archive has been asked by it."""
        found = told_apart(listing.found)
        self._words = listing.words or self._words
        self._refusals += [f"{one.title}: {one.refusal}" for one in found if one.refusal][: _MOST - len(self._refusals)]
        tally, new = weigh(self._archive, found)
        self._names += [_shown(one) for one in new][: _MOST - len(self._names)]
        self._tally.add(tally)
        if self._row.purpose != RunPurpose.FETCH:
            return
        with jobs.writing():
            remember(self._row, found)
            times = [one.time for one in found if one.time is not None]
            self._archive.seen_until = schedule.seen_until(self._archive, times, self._now)
            # What is asked now begins anew, and this answer says nothing of how far it is known.
            if schedule.asks_the_same(self._as_it_is(), self._archive):
                Archive.objects.filter(pk=self._archive.pk).update(
                    seen_until=self._archive.seen_until, goes_on_at=goes_on_at
                )

    def _look_into_folder(self) -> None:
        """Order what is new in a folder; how many files and bytes that is, is known at once."""
        new, self._is_more = self._look()
        self._tally.found, self._tally.size_bytes = len(new), sum(seen.size_bytes for seen in new.values())
        self._names = [path.name for path in new][:_MOST]
        if self._row.purpose == RunPurpose.FETCH and new and not pauses().ingest:
            with jobs.writing():
                order(new, self._archive.survey)

    def _look(self) -> Look:
        """Return what is new in a folder. Raises ListRefused where there is none: its disk may not be mounted."""
        if not Path(self._archive.folder).is_dir():
            raise ListRefused(
                f"There is no folder {self._archive.folder} on the workers' machine, or it is not mounted."
            )
        return look(self._archive.folder)


def _halves(window: Window, listing: Listing) -> tuple[Window, Window]:
    halves = window.halves()
    if halves is None:
        raise ListRefused(
            f"It cuts its answers short at {len(listing.found)} images, and has more than that of one minute "
            f"({window.start:%Y-%m-%d %H:%M} UTC): ask for less, or for more rows at once. {listing.words}".strip()
        )
    return halves


def _shown(one: Found) -> str:
    return f"{one.title or one.name}, {one.time:%Y-%m-%d %H:%M:%S}" if one.time else one.title or one.name
