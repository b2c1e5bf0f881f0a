"""Reports to the services that name objects, for clients: prepared, sent and taken back as on their pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.failures import NotPossible
from catalog.people.actors import Actor, actor_of
from catalog.web.rest.fields import Choice, Flag, Key
from catalog.web.rest.problems import Problem
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import person_of
from curation.judgements.api import UnblindViewSet
from curation.models import Report, ReportAttempt, ReportRow, ReportService
from curation.reports import preparing
from curation.reports.documents import draft_document
from curation.reports.facts import Draft, Finding, ReportRefused
from curation.reports.filters import ReportAttemptListFilter, ReportListFilter, ReportRowListFilter


class ReportSerializer(RowSerializer):
    class Meta:
        model = Report
        fields = "__all__"


class WishSerializer(serializers.Serializer[Draft]):
    """What is to be reported: sources to the Transient Name Server, tracklets to the Minor Planet Center."""

    service = Choice(choices=ReportService.choices)
    objects = serializers.ListField(child=Key(), min_length=1, max_length=max(preparing.MOST_OBJECTS.values()))
    dry_run = Flag(default=False, help_text="Tell what would be reported and what forbids it; nothing is written.")


class FindingSerializer(serializers.Serializer[Finding]):
    subject = serializers.CharField(help_text="The object, or empty for the report as a whole.")
    message = serializers.CharField()
    is_refusal = serializers.BooleanField()


class DraftSerializer(serializers.Serializer[Draft]):
    """A report as it would be: its document, what forbids it, and what is to be known before."""

    may_be_prepared = serializers.BooleanField()
    findings = FindingSerializer(many=True)
    document = serializers.CharField(help_text="Empty where nothing may be reported; our names in it are drawn anew.")


class ReportViewSet(UnblindViewSet):
    """What was reported, and how far it has come."""

    resource = "reports"
    queryset = Report.objects.all()
    serializer_class = ReportSerializer
    filterset_class = ReportListFilter
    json_columns = ("head", "sent_rows")

    @extend_schema(request=WishSerializer, responses={201: ReportSerializer, 200: DraftSerializer}, filters=False)
    def create(self, request: Request) -> Response:
        """Prepare a report: 201. With `dry_run` only tell what it would be: 200. What must not be reported is 409."""
        form = WishSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given, user = form.validated_data, person_of(request)
        service = ReportService(given["service"])
        if given["dry_run"]:
            return Response(_told(preparing.draft_of(service, given["objects"], user)))
        try:
            report = preparing.prepare(service, given["objects"], user, actor_of(request._request))
        except ReportRefused as refusal:
            raise Problem(409, "refused", str(refusal)) from refusal
        report.refresh_from_db()
        return Response(ReportSerializer(report, context=self.get_serializer_context()).data, status=201)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def send(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Let a prepared report be sent."""
        return self._changed(preparing.release)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Take back a report that has not left."""
        return self._changed(preparing.withdraw)

    def _changed(self, change: Callable[[Report, Actor], None]) -> Response:
        row: Report = self.get_object()
        try:
            change(row, actor_of(self.request._request))
        except NotPossible as refusal:
            raise Problem(409, "not_possible", str(refusal)) from refusal
        row.refresh_from_db()
        return Response(self.get_serializer(row).data)


class ReportRowSerializer(RowSerializer):
    class Meta:
        model = ReportRow
        # What the database finds places by tells nobody anything.
        exclude = ("healpix",)


class ReportRowViewSet(UnblindViewSet):
    """The objects of reports: what was said of each, and what the service made of it."""

    resource = "report-rows"
    queryset = ReportRow.objects.all()
    serializer_class = ReportRowSerializer
    filterset_class = ReportRowListFilter
    json_columns = ("body",)


class ReportAttemptSerializer(RowSerializer):
    class Meta:
        model = ReportAttempt
        fields = "__all__"


class ReportAttemptViewSet(UnblindViewSet):
    """The requests that were made about reports, and how each answer began."""

    resource = "report-attempts"
    queryset = ReportAttempt.objects.all()
    serializer_class = ReportAttemptSerializer
    filterset_class = ReportAttemptListFilter


def _told(draft: Draft) -> dict[str, object]:
    return {
        "may_be_prepared": bool(draft.rows) and not draft.refusals,
        "findings": [asdict(finding) for finding in draft.findings],
        "document": draft_document(draft).decode(),
    }
