"""The audit log, for clients."""

from __future__ import annotations

from catalog.models import AuditLog
from catalog.people.filters import AuditFilter
from catalog.web.rest.views import RowSerializer, RowViewSet


class AuditLogSerializer(RowSerializer):
    class Meta:
        model = AuditLog
        fields = "__all__"


class AuditLogViewSet(RowViewSet):
    """Who did what, and when; for administrators."""

    resource = "audit-log"
    queryset = AuditLog.objects.all()
    serializer_class = AuditLogSerializer
    filterset_class = AuditFilter
    orderings = {"-created_at": ("-created_at", "-id"), "created_at": ("created_at", "id")}
