"""Tokens of programs in the admin: whose they are, what they may, when they were used; revoke."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from catalog.admin.bases import ProductAdmin
from catalog.models import ApiToken, User
from catalog.people import tokens
from catalog.people.audit import Actor
from catalog.people.standing import is_above


@admin.register(ApiToken)
class ApiTokenAdmin(ProductAdmin):
    list_display = ("name", "user", "allowed", "expires_at", "revoked_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = (("user", AutocompleteSelectFilter), ("expires_at", RangeDateTimeFilter))
    search_fields = ("name", "user__username", "prefix__startswith")
    search_help_text = "Name, person, start of the token, or ID"
    exclude = ("digest",)
    actions = ("revoke",)

    @display(description="scopes")
    def allowed(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalog.change_user")

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        self.do_each(request, queryset.select_related("user"), _revoke, "Tokens revoked", tokens.RequestRefused)


def _revoke(token: ApiToken, actor: Actor) -> None:
    if isinstance(actor.user, User) and is_above(token.user, actor.user):
        raise tokens.RequestRefused(f"“{token.name}” belongs to {token.user}, who may do more than you: ask them.")
    tokens.revoke(token, actor)
