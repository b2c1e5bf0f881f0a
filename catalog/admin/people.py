"""Accounts and roles in the admin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, ManyToManyField, Model, QuerySet
from django.forms import ModelForm, ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from catalog.admin.bases import AuditedAdmin, RecordAdmin
from catalog.admin.columns import EMPTY, list_link, related_links
from catalog.admin.deleting import Deleted
from catalog.admin.filters import YesNoFilter
from catalog.models import AccountLink, LoginSession, User
from catalog.people import audit, logins, standing
from catalog.people.actors import actor_of
from catalog.roles import ROLES

_ROLES_AND_TEAMS = (
    "A role says what a person may do. A team is any other group: a survey that names teams is for their members alone."
)

# Registered by Django when its admin is imported; ours writes into the AuditLog.
admin.site.unregister(Group)


class _InCharge(AuditedAdmin):
    """Whatever a page does to accounts and roles, somebody is left who may keep them; else nothing is done."""

    def changeform_view(self, request: HttpRequest, *args: object, **more: object) -> HttpResponse:
        return self._unless_nobody_is_left(request, super().changeform_view, *args, **more)

    def delete_view(self, request: HttpRequest, *args: object, **more: object) -> HttpResponse:
        return self._unless_nobody_is_left(request, super().delete_view, *args, **more)

    def changelist_view(self, request: HttpRequest, *args: object, **more: object) -> HttpResponse:
        return self._unless_nobody_is_left(request, super().changelist_view, *args, **more)

    def _unless_nobody_is_left(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *args: object, **more: object
    ) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **more)
        try:
            with transaction.atomic():
                answer = view(request, *args, **more)
                standing.require_somebody_in_charge()
        except standing.NobodyLeft as refusal:
            # What the view said of its success is not so.
            list(messages.get_messages(request))
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())
        return answer


class _CountedRole(Protocol):
    """A role of the list, with how many have it and how much it may."""

    pk: int
    member_count: int
    permissions_held: int


def _actor(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


@admin.register(User)
class AccountAdmin(_InCharge, auth_admin.UserAdmin, RecordAdmin):  # type: ignore[misc]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "roles", "is_active", "is_superuser", "last_login")
    list_filter = (
        ("groups", RelatedDropdownFilter),
        ("is_active", YesNoFilter),
        ("is_superuser", YesNoFilter),
    )
    filter_horizontal = ()
    search_fields = ("username", "first_name", "last_name", "email")
    search_help_text = "Name, e-mail address or ID"
    readonly_fields = ("id", "created_at", "updated_at", "last_login", "date_joined", "related")
    fieldsets = (
        (None, {"fields": ("username", "password", ("first_name", "last_name"), "email")}),
        ("Permissions", {"fields": ("groups", "is_active", "is_superuser")}),
        ("Record", {"fields": ("related", ("last_login", "date_joined"), ("created_at", "updated_at"), "id")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Only a superuser makes one."""
        return self.readonly_fields if _actor(request).is_superuser else (*self.readonly_fields, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_in_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_in_reach(request, obj)

    def get_deleted_objects(  # type: ignore[override]
        self, objs: Iterable[Model], request: HttpRequest
    ) -> Deleted:
        """What lets somebody in goes with their account; that nobody deletes it by itself is no hindrance."""
        found, counts, needed, protected = AuditedAdmin.get_deleted_objects(self, objs, request)
        with_it = {str(model._meta.verbose_name) for model in (AccountLink, Authenticator, LoginSession)}
        return found, counts, needed - with_it, protected

    def _is_in_reach(self, request: HttpRequest, obj: User | None) -> bool:
        return obj is None or not standing.is_above(obj, _actor(request))

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: object
    ) -> ModelMultipleChoiceField | None:
        """Roles and teams are few, each has its box; a role above one's own is not to be given away."""
        is_group, open_to_them = db_field.name == "groups", standing.roles_open_to(_actor(request))
        kwargs |= {"queryset": open_to_them} if is_group else {}
        field = super().formfield_for_manytomany(
            db_field, request, **kwargs, widget=UnfoldAdminCheckboxSelectMultipleWidget()
        )
        if is_group and field is not None:
            field.label, field.help_text = "Roles and teams", _ROLES_AND_TEAMS
            apart = zip(("Roles", "Teams"), standing.told_apart(open_to_them), strict=True)
            field.choices = [(title, [(one.pk, one.name) for one in groups]) for title, groups in apart if groups]
        return field

    @display(description="roles and teams")
    def roles(self, account: User) -> str:
        roles, teams = standing.told_apart(account.groups.all())
        return ", ".join(group.name for group in (*roles, *teams)) or EMPTY

    @display(description="related")
    def related(self, account: User) -> SafeString:
        return related_links(
            [
                list_link("catalog.auditlog", "their actions", user_id=account.pk),
                list_link("curation.validationevent", "their reviews", validator__id__exact=account.pk),
                list_link("curation.lease", "their leases", holder__id__exact=account.pk),
                list_link("catalog.apitoken", "their tokens", user__id__exact=account.pk),
                list_link("catalog.loginsession", "where they are logged in", user__id__exact=account.pk),
                list_link("mfa.authenticator", "their second factors", user__id__exact=account.pk),
                list_link("axes.accessattempt", "their failed log-ins", username=account.username),
            ]
        )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        return self._unless_nobody_is_left(request, self._change_password, id, form_url)

    @transaction.atomic
    def _change_password(self, request: HttpRequest, id: str, form_url: str) -> HttpResponse:  # noqa: A002
        """Leave a line in the AuditLog where a password was changed; never the password."""
        account = self.get_object(request, unquote(id))
        before = "" if account is None else account.password
        if account is not None and request.POST.get("usable_password") == "false":
            # Asked before: a change of one's own password changes the session at once.
            standing.require_somebody_in_charge(but=account)
        answer = super().user_change_password(request, id, form_url)
        if account is not None:
            account.refresh_from_db(fields=["password"])
            if account.password != before:
                audit.record(account, "change_password", actor=actor_of(request), summary=account.username)
                own = request.session.session_key if account == request.user else None
                logins.end_all(account, actor_of(request), but=own)
        return answer


@admin.register(Group)
class RoleAdmin(_InCharge, auth_admin.GroupAdmin, AuditedAdmin):  # type: ignore[misc]
    list_display = ("name", "members", "permission_count")
    fields = ("name", "permissions")
    search_fields = ("name",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        counts = {"member_count": Count("user", distinct=True), "permissions_held": Count("permissions", distinct=True)}
        return super().get_queryset(request).annotate(**counts)

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        """The project's own roles keep their names: pages and commands know them by these."""
        return ("name",) if obj is not None and obj.name in ROLES else ()

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_in_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        is_kept = obj is not None and (obj.name in ROLES or standing.is_named(obj))
        return not is_kept and super().has_delete_permission(request, obj) and self._is_in_reach(request, obj)

    def _is_in_reach(self, request: HttpRequest, obj: Group | None) -> bool:
        return obj is None or not standing.is_role_above(obj, _actor(request))

    def get_form(
        self, request: HttpRequest, obj: Group | None = None, change: bool = False, **kwargs: object
    ) -> type[ModelForm]:
        """Offer what the project asks for, and of that what the person may do."""
        form = super().get_form(request, obj, change, **kwargs)
        permissions = form.base_fields.get("permissions")
        if isinstance(permissions, ModelMultipleChoiceField):
            permissions.queryset = standing.permissions_open_to(_actor(request), obj)
        return form

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., str], str, str] | None]:
        """Groups are deleted one by one, on their own page, where ours are not."""
        return {name: entry for name, entry in super().get_actions(request).items() if name != "delete_selected"}

    @display(description="members")
    def members(self, group: _CountedRole) -> SafeString:
        return list_link("catalog.user", str(group.member_count), groups__id__exact=group.pk)

    @display(description="permissions")
    def permission_count(self, group: _CountedRole) -> int:
        return group.permissions_held
