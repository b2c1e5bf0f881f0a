"""The bases of every page of the admin: what it lists, how fast, and the line in the AuditLog of every change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import FloatField, ForeignKey, ManyToManyField, Model, QuerySet, URLField
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from catalog.admin.columns import as_key, changes_of
from catalog.admin.deleting import Deleted, refused_for_many
from catalog.admin.narrowing import narrowed_to
from catalog.admin.paging import BoundedPaginator
from catalog.models import AuditLog
from catalog.people import audit
from catalog.people.actors import actor_of
from catalog.people.audit import Actor
from catalog.web.related import leave_out_hidden

# Never in the AuditLog, neither as they were nor as they are.
SECRETS = frozenset({"password"})
# Numbers whose last figures matter; of others seven are enough.
IN_FULL = frozenset({"ra", "dec", "mjd_utc"})
# An action does no more rows than this at once: the person waits for the answer.
MOST_AT_ONCE = 1000
_MOST_HISTORY = 200
_MOST_REASONS = 10

Row = TypeVar("Row")


def ask(title: str, description: str, button: str) -> dict[str, object]:
    """Return the dialogue that asks before something is done: a form, so that no link changes anything."""
    return {"title": title, "description": description, "form_class": None, "form_submit_text": button}


class AuditedAdmin(ModelAdmin):
    """Lists without counting; writes every change into the AuditLog, with the values before and after."""

    show_full_result_count = False
    # Counts for each value of each filter would read the whole table.
    show_facets = ShowFacets.NEVER
    paginator = BoundedPaginator
    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    # What a person types without a scheme is meant as https.
    formfield_overrides: ClassVar[dict[object, object]] = {URLField: {"assume_scheme": "https"}}

    list_before_template = "admin/narrowed.html"

    def __init__(self, *where: object) -> None:
        super().__init__(*where)
        floats = (field.name for field in self.opts.concrete_fields if isinstance(field, FloatField))
        self.readonly_preprocess_fields = {name: _in_full if name in IN_FULL else _shortened for name in floats}

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        page = super().get_changelist_instance(request)
        leave_out_hidden(page.result_list, request.user)
        by_filters = {str(name) for spec in page.filter_specs for name in spec.expected_parameters()}
        page.narrowed = narrowed_to(self.model, request, by_filters)
        if not page.narrowed and not page.query and not page.has_active_filters:
            # All rows are shown: the theme need not offer to show them all.
            page.full_result_count = page.result_count
        return page

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        names = _noted(obj, form.changed_data)
        # Many-to-many fields are saved after this, so that the row still shows what was before.
        form.before = _values(type(obj)._default_manager.get(pk=obj.pk), names) if change else {}
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: object, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        row, before = form.instance, getattr(form, "before", {})
        after = _values(row, _noted(row, form.changed_data))
        if change and before == after:
            return
        _record(request, row, "change" if change else "add", old=before, new=after)

    def get_deleted_objects(self, objs: Iterable[Model], request: HttpRequest) -> Deleted:
        """Look at what would go too; where that is very much, nothing of it is read, and the rows stay."""
        rows = list(objs)
        found: Deleted = refused_for_many(rows) or super().get_deleted_objects(rows, request)
        return found

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self._note_deletion(request, obj)
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        for row in queryset:
            self._note_deletion(request, row)
        super().delete_queryset(request, queryset)

    def _note_deletion(self, request: HttpRequest, row: Model) -> None:
        every = [field.name for field in (*row._meta.concrete_fields, *row._meta.many_to_many)]
        _record(request, row, "delete", old=_values(row, _noted(row, every)))

    def log_addition(self, request: HttpRequest, obj: Model, message: object) -> None:
        """Leave Django's own log empty: the AuditLog holds it all."""

    def log_change(self, request: HttpRequest, obj: Model, message: object) -> None:
        """Leave Django's own log empty: the AuditLog holds it all."""

    def log_deletions(self, request: HttpRequest, queryset: object) -> None:
        """Leave Django's own log empty: the AuditLog holds it all."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show what the AuditLog knows of one row, with the values before and after."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {row}",
            "opts": self.opts,
            "object": row,
            "lines": history_of(row),
            "shows_origin": request.user.has_perm("catalog.view_auditlog"),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/object_history.html", context)

    def do_each(
        self,
        request: HttpRequest,
        rows: Iterable[Row],
        work: Callable[[Row, Actor], object],
        done: str,
        refusal: type[Exception],
    ) -> None:
        """Do a service's work on each row; say how many went well, and why not those that it refused."""
        chosen = list(rows[: MOST_AT_ONCE + 1] if isinstance(rows, QuerySet) else rows)
        if len(chosen) > MOST_AT_ONCE:
            messages.error(request, f"More than {MOST_AT_ONCE} rows are selected: filter the list first.")
            return
        reasons: list[str] = []
        for row in chosen:
            try:
                work(row, actor_of(request))
            except refusal as reason:
                reasons.append(str(reason))
        if len(chosen) > len(reasons):
            messages.success(request, f"{done}: {len(chosen) - len(reasons)}.")
        for sentence in reasons[:_MOST_REASONS]:
            messages.warning(request, sentence)
        if len(reasons) > _MOST_REASONS:
            messages.warning(request, f"{len(reasons) - _MOST_REASONS} more were refused for reasons like these.")

    def do_one(
        self,
        request: HttpRequest,
        object_id: str,
        work: Callable[[Row, Actor], object],
        done: str,
        refusal: type[Exception],
    ) -> HttpResponse:
        """Do a service's work on the row of a page, and come back to the page."""
        row = self.get_object(request, unquote(object_id))
        self.do_each(request, [] if row is None else [row], work, done, refusal)
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])
        # The dialogue is a form in the page: it is told where to go, and would follow a redirect by itself.
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": url})
        return HttpResponseRedirect(url)


class RecordAdmin(AuditedAdmin):
    """Lists what the person may see, the newest first."""

    readonly_fields: ClassVar[tuple[object, ...]] = ("id", "created_at", "updated_at")
    # Keys are ordered by time, and their index is there already.
    ordering: ClassVar[tuple[str, ...]] = ("-id",)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        row = super().get_object(request, object_id, from_field)
        if row is not None and request.method == "GET":
            leave_out_hidden([row], request.user)
        return row

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = self.model._default_manager.all().visible_to(request.user)
        return rows.order_by(*self.get_ordering(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """A whole key finds its row by the index, whatever else is searched."""
        key = as_key(search_term)
        if key is not None:
            return queryset.filter(pk=key), False
        return super().get_search_results(request, queryset, search_term)


class ReadOnly:
    """What nobody adds, edits or deletes on these pages."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ProductAdmin(ReadOnly, RecordAdmin):
    """Shows what machines wrote, or what is only ever added: nobody edits it here."""


def history_of(row: Model) -> list[dict[str, object]]:
    """Return the newest lines of the AuditLog on one row, each with what it changed."""
    lines = AuditLog.objects.filter(entity_type=row._meta.model_name, entity_id=str(row.pk))
    newest = lines.order_by("-created_at", "-id")[:_MOST_HISTORY]
    return [{"line": line, "changes": changes_of(line)} for line in newest]


def _record(request: HttpRequest, row: Model, what: str, **values: dict[str, object]) -> None:
    audit.record(row, f"{what}_{row._meta.model_name}", actor=actor_of(request), summary=str(row), **values)


def _noted(row: Model, names: Iterable[str]) -> list[str]:
    """Return those names that are fields of the row whose values may be written down."""
    fields = {field.name for field in (*row._meta.concrete_fields, *row._meta.many_to_many)}
    return sorted((fields & set(names)) - SECRETS)


def _values(row: Model, names: Iterable[str]) -> dict[str, object]:
    return {name: _value(row, name) for name in names}


def _value(row: Model, name: str) -> object:
    field = row._meta.get_field(name)
    if isinstance(field, ManyToManyField):
        return sorted(_words(entry) for entry in getattr(row, name).all())
    if isinstance(field, ForeignKey):
        return None if getattr(row, name) is None else str(getattr(row, name))
    return getattr(row, name)


def _words(row: Model) -> str:
    if isinstance(row, Permission):
        return f"{row.content_type.app_label}.{row.codename}"
    return str(row)


def _shortened(text: str) -> str:
    """Return a number with the figures that mean something; a computer's double has more."""
    return _with_figures(text, 7)


def _in_full(text: str) -> str:
    return _with_figures(text, 12)


def _with_figures(text: str, figures: int) -> str:
    try:
        return f"{float(text):.{figures}g}"
    except ValueError:
        return text  # Nothing is known: the page shows a dash.
