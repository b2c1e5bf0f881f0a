"""Accounts, the tokens of their programs, and the audit log, for clients."""

from __future__ import annotations

from rest_framework import serializers

from catalog.models import ApiToken, AuditLog, User
from catalog.people.filters import AuditFilter
from catalog.web.filters import AT, ListFilter
from catalog.web.rest.resources import address_of
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet


class AccountSerializer(RowSerializer):
    class Meta:
        model = User
        fields = ("id", "username", "is_active", "created_at", "updated_at", "last_login")


class AccountFilter(ListFilter):
    class Meta:
        model = User
        fields = {"username": AT, "is_active": AT}


class AccountViewSet(RowViewSet):
    """People and clients with an account; for administrators."""

    resource = "accounts"
    queryset = User.objects.all()
    serializer_class = AccountSerializer
    filterset_class = AccountFilter


class ApiTokenSerializer(RowSerializer):
    class Meta:
        model = ApiToken
        fields = (
            "id", "user", "name", "prefix", "scopes", "created_at", "updated_at", "expires_at", "revoked_at",
            "last_used_at",
        )  # fmt: skip


class ApiTokenFilter(ListFilter):
    class Meta:
        model = ApiToken
        fields = {"user": AT}


class ApiTokenViewSet(RowViewSet):
    """API tokens, without their secret; for administrators."""

    resource = "api-tokens"
    queryset = ApiToken.objects.all()
    serializer_class = ApiTokenSerializer
    filterset_class = ApiTokenFilter


class AuditLogSerializer(RowSerializer):
    entity_url = serializers.SerializerMethodField(help_text="Address of what it is about; null where there is none.")

    class Meta:
        model = AuditLog
        fields = "__all__"

    def get_entity_url(self, line: AuditLog) -> str | None:
        return address_of(line.entity_type, line.entity_id, self.context["request"])


class AuditLogViewSet(RowViewSet):
    """Who did what, and when; for administrators."""

    resource = "audit-log"
    queryset = AuditLog.objects.all()
    serializer_class = AuditLogSerializer
    filterset_class = AuditFilter
    orderings = {"-created_at": ("-created_at", "-id"), "created_at": ("created_at", "id")}
