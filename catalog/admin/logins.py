"""Who is logged in where, the links that let somebody in, and second factors, in the admin: end, revoke."""

from __future__ import annotations

from typing import ClassVar

from allauth.account.admin import EmailAddress
from allauth.mfa.admin import Authenticator
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from catalog.admin.bases import AuditedAdmin, ProductAdmin, ReadOnly
from catalog.admin.filters import DropdownFilter
from catalog.models import AccountLink, LoginSession, User
from catalog.people import factors, links, logins
from catalog.people.audit import Actor
from catalog.people.standing import is_above
from catalog.roles import MAY_KEEP_ACCOUNTS

# Registered by their library; addresses are kept with the accounts, and the secrets of second factors shown nowhere.
for _model in (EmailAddress, Authenticator):
    admin.site.unregister(_model)


class NotEnded(ValueError):
    """This session is not ended; the text says why."""


@admin.register(LoginSession)
class LoginSessionAdmin(ProductAdmin):
    list_display = ("user", "ip_address", "user_agent", "created_at", "seen_at", "expire_date")
    list_select_related = ("user",)
    list_filter = (("user", AutocompleteSelectFilter), ("seen_at", RangeDateTimeFilter))
    search_fields = ("user__username", "ip_address")
    search_help_text = "Person or address"
    fields = readonly_fields = (
        "user", "ip_address", "user_agent", "created_at", "seen_at", "expire_date", "id",
    )  # fmt: skip
    actions = ("end",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Where people are logged in", **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[LoginSession]:
        return super().get_queryset(request).filter(user__isnull=False, expire_date__gt=timezone.now())

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAY_KEEP_ACCOUNTS)

    @admin.action(description="End", permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[LoginSession]) -> None:
        self.do_each(request, queryset.select_related("user"), _end, "Sessions ended", NotEnded)


@admin.register(AccountLink)
class AccountLinkAdmin(ProductAdmin):
    list_display = ("kind", "email", "role", "user", "state", "made_by", "expires_at", "mailed_at", "last_reason")
    list_select_related = ("role", "user", "made_by")
    list_filter = (("kind", DropdownFilter), ("user", AutocompleteSelectFilter), ("created_at", RangeDateTimeFilter))
    search_fields = ("email", "user__username")
    search_help_text = "E-mail address or person"
    exclude = ("stamp", "asked_for")
    actions = ("revoke",)

    @display(description="state")
    def state(self, link: AccountLink) -> str:
        return link.state

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAY_KEEP_ACCOUNTS)

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccountLink]) -> None:
        self.do_each(request, queryset, links.revoke, "Links revoked", links.LinkRefused)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnly, AuditedAdmin):
    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = (("user", AutocompleteSelectFilter), ("type", DropdownFilter))
    search_fields = ("user__username",)
    search_help_text = "Person"
    ordering = ("-created_at", "-id")
    fields: ClassVar[tuple[str, ...]] = ("user", "type", "created_at", "last_used_at")
    readonly_fields = fields

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Second factors", **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Authenticator]:
        rows = Authenticator.objects.exclude(type=factors.Kind.RECOVERY_CODES)
        return rows.order_by(*self.get_ordering(request))


def _end(session: LoginSession, actor: Actor) -> None:
    account = session.user
    if account is not None and isinstance(actor.user, User) and is_above(account, actor.user):
        raise NotEnded(f"{account.username} may do more than you: ask them.")
    logins.end(session, actor)
