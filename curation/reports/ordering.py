"""Which reports there is something to do for: looked for again and again, since a broker forgets."""

from __future__ import annotations

from catalog.models import ProcessingJob
from catalog.work import jobs
from curation.models import Report
from curation.reports.preparing import ENTITY, JOB_TYPE


def order_due() -> int:
    """Order what is due of reports; return how much. What a worker is at already is left alone."""
    at_work = ProcessingJob.objects.filter(job_type=JOB_TYPE, status__in=jobs.UNFINISHED)
    busy = set(at_work.values_list("entity_id", flat=True))
    wanted = [key for key in Report.objects.due().order_by("pk").values_list("pk", flat=True) if str(key) not in busy]
    for key in wanted:
        jobs.enqueue(JOB_TYPE, ENTITY, key)
    return len(wanted)
