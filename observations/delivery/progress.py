"""How far each delivered file has come, in the words of the upload page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from catalog.failures import FailureCode
from catalog.models import JobStatus, ProcessingJob, Visitor
from observations.delivery.incoming import DOWNLOAD, RECEIVE
from observations.delivery.results import ImageResult, results_shown
from observations.models import IncomingFile, IncomingRoute, Observation

_WORDS = {
    JobStatus.PENDING: "waiting for a worker",
    JobStatus.COMPLETED: "ingested",
    JobStatus.FAILED: "rejected",
    JobStatus.CANCELLED: "cancelled",
}
_LACKS = (FailureCode.NO_POINTING, FailureCode.NO_BAND, FailureCode.NO_EXPOSURE, FailureCode.NO_TIME)
_ADDRESS = (FailureCode.DOWNLOAD_FAILED, FailureCode.NETWORK_FAULT, FailureCode.ADDRESS_REFUSED)


@dataclass(frozen=True)
class NamedResult(ImageResult):
    """The same with the name of the frame's file, "" where it became none."""

    name: str


@dataclass(frozen=True)
class Progress:
    """One delivered file, its job, and what became of each image in it."""

    file: IncomingFile
    job: ProcessingJob | None
    all_lines: tuple[NamedResult, ...]

    @property
    def is_on_its_way(self) -> bool:
        return self.job is not None and self.job.status in (JobStatus.PENDING, JobStatus.RUNNING)

    @property
    def is_downloading(self) -> bool:
        is_here = bool(self.file.stored_path) or self.file.route != IncomingRoute.URL
        return self.job is not None and self.job.status == JobStatus.RUNNING and not is_here

    @property
    def share_unknown(self) -> bool:
        """Whether nothing can be said of how much of a download has arrived."""
        return not self.file.size_bytes or self.file.received_bytes >= self.file.size_bytes

    @property
    def words(self) -> str:
        """What is being done, or how it ended."""
        if self.job is None:
            return "not queued"
        running = "downloading" if self.is_downloading else "being read"
        return _WORDS.get(JobStatus(self.job.status), running)

    @property
    def advice(self) -> str:
        """What the person can do about a file that was rejected; "" after anything else."""
        if self.job is None or self.job.status != JobStatus.FAILED:
            return ""
        if self.job.failure_code in _LACKS:
            return "Upload it again and fill in what its header lacks, under “Survey and missing header values”."
        if self.job.failure_code in _ADDRESS:
            return "Check the address in a browser, or download the file and upload it."
        return "Fix the file or choose another one, and upload it again."

    @property
    def lines(self) -> tuple[NamedResult, ...]:
        """What became of each image; the only image's error is the job's, and is not said twice."""
        is_said = len(self.all_lines) == 1 and self.all_lines[0].error_message
        return () if is_said else self.all_lines


def progress_of(rows: Iterable[IncomingFile], user: Visitor) -> list[Progress]:
    """Return how far each file has come, with the names of the frames that came of it."""
    files = list(rows)
    keys = [str(row.pk) for row in files]
    of_files = ProcessingJob.objects.filter(entity_type="incoming_file", entity_id__in=keys)
    found = of_files.filter(job_type__in=(RECEIVE, DOWNLOAD))
    jobs = {job.entity_id: job for job in found.order_by("created_at")}
    lines = {row.pk: results_shown(row, user) for row in files}
    ids = (line.entity_id for of_file in lines.values() for line in of_file if line.entity_type == "observation")
    frames = Observation.objects.filter(pk__in={key for key in ids if key}).values_list("pk", "original_name")
    names = {str(key): name for key, name in frames}
    return [
        Progress(
            row,
            jobs.get(str(row.pk)),
            tuple(NamedResult(**vars(line), name=names.get(line.entity_id or "", "")) for line in lines[row.pk]),
        )
        for row in files
    ]
