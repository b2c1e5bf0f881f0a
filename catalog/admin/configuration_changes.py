"""Several keys of the configuration as one change, from a form or a file, each shown before it is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from catalog.admin.configuration_fields import field_of, in_use, reason_field
from catalog.configuration import files
from catalog.configuration.changes import ChangeRefused, change, plan
from catalog.configuration.keys import DECLARED, ConfigKey
from catalog.configuration.preview import preview
from catalog.configuration.words import bounds, shown_of
from catalog.models import SystemConfig
from catalog.people.actors import actor_of

_VALUE = "value:"
_CONTENT_TYPES = {"toml": "application/toml", "json": "application/json"}


class ChangeForm(forms.Form):
    """What every change asks for: why, and what the person has been shown of it."""

    reason = reason_field()
    state = forms.CharField(required=False, widget=forms.HiddenInput)

    def asked(self) -> Mapping[str, object]:
        """Return what is asked for, by key."""
        raise NotImplementedError

    def refuse(self, refusal: ChangeRefused) -> None:
        """Say why nothing is done, at the fields that it belongs to."""
        for name, sentence in refusal.reasons.items():
            field = f"{_VALUE}{name}"
            self.add_error(field if field in self.fields else None, sentence)


class TogetherForm(ChangeForm):
    """Asks for the values of some keys."""

    def __init__(self, keys: Iterable[ConfigKey], given: QueryDict | None, values: dict[str, object]) -> None:
        self.keys = tuple(keys)
        super().__init__(given, initial=values)
        rows = {row.key: row for row in SystemConfig.objects.filter(key__in=[key.name for key in self.keys])}
        for key in self.keys:
            field = field_of(key)
            field.label = key.name
            if not key.is_secret:
                field.initial = in_use(key, rows.get(key.name))
            now = f"Now {shown_of(key, in_use(key, rows.get(key.name)))}, default {shown_of(key, key.default)}"
            field.help_text = f"{now}; {bounds(key)}. {key.explanation}"
            self.fields[f"{_VALUE}{key.name}"] = field
        self.order_fields([*(f"{_VALUE}{key.name}" for key in self.keys), "reason", "state"])

    def asked(self) -> Mapping[str, object]:
        given = {key.name: self.cleaned_data.get(f"{_VALUE}{key.name}") for key in self.keys}
        kept = {key.name for key in self.keys if key.is_secret and not given[key.name]}
        # An empty number is no value; the default is asked for on the key's own page.
        return {name: "" if value is None else value for name, value in given.items() if name not in kept}


class FileForm(ChangeForm):
    """Takes a file, or its text."""

    file = forms.FileField(required=False, widget=UnfoldAdminFileFieldWidget())
    text = forms.CharField(required=False, strip=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}))

    field_order = ("file", "text", "reason")

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if isinstance(file, UploadedFile):
            if (file.size or 0) > files.LONGEST_FILE:
                raise forms.ValidationError(f"A configuration file has at most {files.LONGEST_FILE} bytes.")
            try:
                cleaned["text"] = file.read().decode()
            except UnicodeDecodeError as error:
                raise forms.ValidationError("The file is not text in UTF-8.") from error
        return cleaned

    def asked(self) -> Mapping[str, object]:
        return files.read(str(self.cleaned_data.get("text", "")))


class ConfigPages(ModelAdmin):
    """The pages of the configuration that concern more than one key."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("together/", view(self._together), name="catalog_systemconfig_together"),
            path("import/", view(self._import), name="catalog_systemconfig_import"),
            *(
                path(f"export.{kind}", view(self._export), {"kind": kind}, f"catalog_systemconfig_{kind}")
                for kind in files.FORMATS
            ),
        ]
        return [*own, *super().get_urls()]

    def _together(self, request: HttpRequest) -> HttpResponse:
        """Ask for the values of the keys that the address names; show what they would mean; store them as one."""
        keys = [DECLARED[name] for name in dict.fromkeys(request.GET.getlist("key")) if name in DECLARED]
        if not keys:
            messages.warning(request, "Tick the keys that are to be changed together.")
            return HttpResponseRedirect(_list())
        form = TogetherForm(keys, request.POST if request.method == "POST" else None, _initial(request.GET))
        return self._change(request, form, "Change together" if len(keys) > 1 else f"Change {keys[0].name}")

    def _import(self, request: HttpRequest) -> HttpResponse:
        """Take a file, show what would be another value, and store it when that has been seen."""
        is_sent = request.method == "POST"
        form = FileForm(request.POST, request.FILES) if is_sent else FileForm()
        return self._change(request, form, "Import a configuration")

    def _change(self, request: HttpRequest, form: ChangeForm, title: str) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "form": form}
        if request.method == "POST" and form.is_valid():
            try:
                if "save" in request.POST:
                    return self._store(request, form)
                # What was read of a file is sent again by the page, to be done.
                context |= {"preview": preview(plan(form.asked())), "text": form.cleaned_data.get("text")}
            except ChangeRefused as refusal:
                form.refuse(refusal)
        return TemplateResponse(request, "admin/configuration_change.html", context)

    def _store(self, request: HttpRequest, form: ChangeForm) -> HttpResponse:
        given = form.cleaned_data
        done = change(form.asked(), given["reason"], actor_of(request), state=given["state"])
        if not done.changes:
            messages.warning(request, "Nothing was changed: these values are in use already.")
        else:
            names = ", ".join(one.key.name for one in done.changes)
            messages.success(request, f"{len(done.changes)} changed: {names}.")
        return HttpResponseRedirect(_list())

    def _export(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Answer with the configuration as a file, without secrets."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        text = files.written(kind, everything="all" in request.GET)
        headers = {"Content-Disposition": f'attachment; filename="configuration.{kind}"'}
        return HttpResponse(text, content_type=f"{_CONTENT_TYPES[kind]}; charset=utf-8", headers=headers)


def prefilled(key: ConfigKey, value: object, reason: str) -> str:
    """Return the address of the page that changes a key, with a value and a reason to begin with."""
    query = QueryDict(mutable=True)
    query.update({"key": key.name, f"{_VALUE}{key.name}": str(value), "reason": reason})
    return f"{reverse('admin:catalog_systemconfig_together')}?{query.urlencode()}"


def _initial(given: QueryDict) -> dict[str, object]:
    """Return what an address begins with; a switch is a word there."""
    initial: dict[str, object] = {}
    for name, value in given.items():
        key = DECLARED.get(name.removeprefix(_VALUE)) if name.startswith(_VALUE) else None
        if name == "reason":
            initial[name] = value
        elif key is not None and not key.is_secret:
            initial[name] = value == "True" if isinstance(key.default, bool) else value
    return initial


def _list() -> str:
    return reverse("admin:catalog_systemconfig_changelist")
