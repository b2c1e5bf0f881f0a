"""Jobs, the audit log and the configuration, for clients."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.configuration.keys import DECLARED, ConfigKey
from catalog.models import AuditLog, ProcessingJob, SystemConfig
from catalog.people.actors import actor_of
from catalog.web.keyset import Page
from catalog.web.rest.filters import AT, FROM_TO, ONE_OF, ListFilter
from catalog.web.rest.paging import MOST, page_size_of, paged
from catalog.web.rest.problems import Problem
from catalog.web.rest.resources import address_of
from catalog.web.rest.views import Resource, Rows, RowSerializer
from catalog.work import jobs

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
    def get_error_details(self, job: ProcessingJob) -> Any:
        return job.error_details if self._shows_logs() else None

    def _shows_logs(self) -> bool:
        return bool(self.context["request"].user.has_perm(_SEES_LOGS))


class ProcessingJobFilter(ListFilter):
    class Meta:
        model = ProcessingJob
        fields = {
            "job_type": ONE_OF, "entity_type": AT, "entity_id": AT, "status": ONE_OF, "workflow_id": AT,
            "failure_code": ONE_OF, "created_at": FROM_TO,
        }  # fmt: skip


class ProcessingJobs(Rows):
    """Background work: ordered, done, failed with its reason."""

    resource = "processing-jobs"
    queryset = ProcessingJob.objects.all()
    serializer_class = ProcessingJobSerializer
    filterset_class = ProcessingJobFilter

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let a failed or cancelled job wait for its work again; 409 in any other state."""
        return self._order(jobs.retry)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Stop a job that waits or runs; 409 when it has ended."""
        return self._order(jobs.cancel)

    def _order(self, order: Callable[[ProcessingJob, Any], ProcessingJob]) -> Response:
        try:
            row = order(self.get_object(), actor_of(self.request._request))
        except jobs.NotPossible as refusal:
            raise Problem(409, "not_possible", str(refusal)) from refusal
        return Response(self.get_serializer(row).data)


class AuditLogSerializer(RowSerializer):
    entity_url = serializers.SerializerMethodField(help_text="Where that can be read which it is about.")

    class Meta:
        model = AuditLog
        fields = "__all__"

    def get_entity_url(self, line: AuditLog) -> str | None:
        return address_of(line.entity_type, line.entity_id, self.context["request"])


class AuditLogFilter(ListFilter):
    class Meta:
        model = AuditLog
        fields = {"entity_type": AT, "entity_id": AT, "action": AT, "user_id": AT, "created_at": FROM_TO}


class AuditLogs(Rows):
    """Who did what, and when; for administrators."""

    resource = "audit-log"
    queryset = AuditLog.objects.all()
    serializer_class = AuditLogSerializer
    filterset_class = AuditLogFilter
    orderings = {"-created_at": ("-created_at", "-id"), "created_at": ("created_at", "id")}


@extend_schema_field({"oneOf": [{"type": "boolean"}, {"type": "number"}, {"type": "string"}]})
class ConfigValueField(serializers.Field[Any, Any, Any, Any]):
    """A value of whatever type its key declares."""

    def to_representation(self, value: Any) -> Any:
        return value


class SystemConfigSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    value = ConfigValueField(help_text="In use now.")
    default = ConfigValueField()
    description = serializers.CharField()
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    choices = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField(help_text="Whether somebody has set it; otherwise the default is in use.")
    updated_at = serializers.DateTimeField(allow_null=True, help_text="When it was last set.")


class SystemConfigPageSerializer(serializers.Serializer[Any]):
    results = SystemConfigSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


@extend_schema_view(
    list=extend_schema(
        responses=forced_singular_serializer(SystemConfigPageSerializer),
        parameters=[
            OpenApiParameter("page_size", {"type": "integer", "minimum": 1, "maximum": MOST}),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="The `next` of an earlier response."),
        ],
    )
)
class SystemConfigs(Resource):
    """The declared keys, each with its value, default and bounds; for administrators. A key is its own `id`."""

    resource = "system-config"
    queryset = SystemConfig.objects.all()
    serializer_class = SystemConfigSerializer
    pagination_class = None
    filter_backends = ()
    lookup_field, lookup_value_converter = "key", "str"

    def parameters(self) -> frozenset[str]:
        return frozenset({"format", "page_size", "cursor"} if self.action == "list" else {"format"})

    def list(self, request: Request) -> Response:
        """Return the keys by name."""
        names, last = sorted(DECLARED), request.query_params.get("cursor", "")
        if last and last not in DECLARED:
            raise ValidationError({"cursor": ["This cursor does not belong to this list: start from its first page."]})
        rest = [name for name in names if name > last]
        size = page_size_of(request)
        page = Page(rest[:size], rest[size - 1] if len(rest) > size else None, None)
        stored = self._stored(page.rows)
        return paged(request, page, [self._row(DECLARED[name], stored.get(name)) for name in page.rows])

    def retrieve(self, request: Request, key: str) -> Response:
        """Return one key, by its name; or by the `id` of its row, which the audit log tells."""
        name = key if key in DECLARED else self._name_of(key)
        if name not in DECLARED:
            raise NotFound("There is no such key.")
        return Response(self._row(DECLARED[name], self._stored([name]).get(name)))

    def _name_of(self, key: str) -> str:
        try:
            return self.get_queryset().filter(pk=UUID(key)).values_list("key", flat=True).first() or ""
        except ValueError:
            return ""

    def _stored(self, names: Iterable[str]) -> dict[str, SystemConfig]:
        return {row.key: row for row in self.get_queryset().filter(key__in=names, is_active=True)}

    def _row(self, key: ConfigKey, stored: SystemConfig | None) -> Any:
        row = {
            "key": key.name,
            "value": stored.value if stored else key.default,
            "default": key.default,
            "description": key.explanation,
            "minimum": key.minimum,
            "maximum": key.maximum,
            "choices": list(key.choices),
            "is_active": stored is not None,
            "updated_at": stored.updated_at if stored else None,
        }
        return self.get_serializer(row).data
