"""Accounts and the tokens of their programs, for administrators' clients."""

from __future__ import annotations

from catalog.models import ApiToken, User
from catalog.web.rest.filters import AT, ListFilter
from catalog.web.rest.views import Rows, RowSerializer


class AccountSerializer(RowSerializer):
    class Meta:
        model = User
        fields = ("id", "username", "is_active", "created_at", "updated_at", "last_login")


class AccountFilter(ListFilter):
    class Meta:
        model = User
        fields = {"username": AT, "is_active": AT}


class Accounts(Rows):
    """People and clients with an account."""

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


class ApiTokens(Rows):
    """What programs show instead of a password, without what would open anything."""

    resource = "api-tokens"
    queryset = ApiToken.objects.all()
    serializer_class = ApiTokenSerializer
    filterset_class = ApiTokenFilter
