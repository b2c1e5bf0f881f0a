"""Jobs, for clients."""

from __future__ import annotations

from collections.abc import Callable

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import ProcessingJob
from catalog.people.actors import Actor, actor_of
from catalog.web.rest.problems import Problem
from catalog.web.rest.resources import address_of
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet
from catalog.work import jobs
from catalog.work.filters import JobFilter

# Processes and tracebacks, as in JobAttempt.
_SEES_LOGS = "catalog.view_jobattempt"


class ProcessingJobSerializer(RowSerializer):
    entity_url = serializers.SerializerMethodField(help_text="Address of what it works on; null where there is none.")
    owner = serializers.SerializerMethodField(help_text="Process that holds it; null for those who may not see logs.")
    error_details = serializers.SerializerMethodField(help_text="Traceback; null for those who may not see logs.")

    class Meta:
        model = ProcessingJob
        exclude = ("sent_at", "needs_abandon")

    def get_entity_url(self, job: ProcessingJob) -> str | None:
        return address_of(job.entity_type, job.entity_id, self.context["request"])

    def get_owner(self, job: ProcessingJob) -> str | None:
        return job.owner if self._shows_logs() else None

    @extend_schema_field({"type": "object", "additionalProperties": {}, "nullable": True})
    def get_error_details(self, job: ProcessingJob) -> dict[str, object] | None:
        return job.error_details if self._shows_logs() else None

    def _shows_logs(self) -> bool:
        return bool(self.context["request"].user.has_perm(_SEES_LOGS))


class ProcessingJobViewSet(RowViewSet):
    """Background work: queued, running, done, or failed with its reason."""

    resource = "processing-jobs"
    queryset = ProcessingJob.objects.all()
    serializer_class = ProcessingJobSerializer
    filterset_class = JobFilter

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Queue a failed or cancelled job again; 409 in any other state."""
        return self._order(jobs.retry)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Cancel a pending or running job; 409 once it has ended."""
        return self._order(jobs.cancel)

    def _order(self, order: Callable[[ProcessingJob, Actor], ProcessingJob]) -> Response:
        try:
            row = order(self.get_object(), actor_of(self.request._request))
        except jobs.NotPossible as refusal:
            raise Problem(409, "not_possible", str(refusal)) from refusal
        return Response(self.get_serializer(row).data)
