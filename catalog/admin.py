"""The system's own records in the admin; the bases of every other app's."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model, QuerySet, URLField
from django.forms import ModelForm
from django.http import HttpRequest

from catalog import config
from catalog.audit import Actor
from catalog.models import AuditLog, JobAttempt, Probe, ProcessingJob, SystemConfig, User


class RecordAdmin(admin.ModelAdmin):
    """Lists what the person may see."""

    readonly_fields: ClassVar[tuple[str, ...]] = ("id", "created_at", "updated_at")
    show_full_result_count = False
    # What a person types without a scheme is meant as https.
    formfield_overrides: ClassVar[dict[Any, Any]] = {URLField: {"assume_scheme": "https"}}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.model._default_manager.all().visible_to(request.user)


class ProductAdmin(RecordAdmin):
    """Shows what machines wrote, or what is only ever added: nobody edits it here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(User)
class AccountAdmin(UserAdmin):
    list_display = ("username", "email", "is_active", "is_staff", "last_login")


@admin.register(SystemConfig)
class SystemConfigAdmin(RecordAdmin):
    list_display = ("key", "value", "is_active", "updated_at")
    list_filter = ("is_active",)
    search_fields = ("key", "description")
    fields = ("key", "value", "is_active", "description", "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: SystemConfig | None = None) -> tuple[str, ...]:
        return ("description", "updated_at") if obj is None else ("key", "description", "updated_at")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: SystemConfig, form: ModelForm[Any], change: bool) -> None:
        user = request.user if request.user.is_authenticated else None
        actor = Actor(user, request.META.get("REMOTE_ADDR"), request.headers.get("User-Agent", ""))
        if obj.is_active:
            stored = config.set_value(obj.key, obj.value, actor)
        else:
            stored = config.clear_value(obj.key, actor)
        obj.pk = stored.pk


@admin.register(ProcessingJob)
class ProcessingJobAdmin(ProductAdmin):
    list_display = ("job_type", "entity_type", "entity_id", "status", "failure_code", "attempt", "created_at")
    list_filter = ("status", "job_type", "failure_code")
    search_fields = ("entity_id", "workflow_id", "error_message")


@admin.register(JobAttempt)
class JobAttemptAdmin(ProductAdmin):
    list_display = ("job", "attempt", "owner", "outcome", "failure_code", "started_at", "ended_at")
    list_filter = ("outcome", "failure_code")


@admin.register(Probe)
class ProbeAdmin(ProductAdmin):
    list_display = ("queue", "answered_at")


@admin.register(AuditLog)
class AuditLogAdmin(ProductAdmin):
    list_display = ("created_at", "user", "action", "entity_type", "entity_id", "change_summary")
    list_filter = ("action", "entity_type")
    search_fields = ("user", "entity_id", "change_summary")
