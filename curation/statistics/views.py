"""The page of statistics, and each of its tables as CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.models import Visitor
from catalog.web.access import requires
from curation.judgements import visibility
from curation.statistics import answers, people
from curation.statistics.answers import Period
from curation.statistics.missed import missed
from curation.statistics.tables import Statistic
from curation.statistics.waiting import waiting

# In the order of the page; another one is another row.
STATISTICS: Mapping[str, Callable[[Period], Statistic]] = {
    "waiting": lambda _period: waiting(),
    "pace": answers.pace,
    "people": answers.people,
    "missed": lambda _period: missed(),
    "labels": answers.labels,
    "models": answers.models,
    "agreement": people.agreement,
    "disagreement": people.disagreement,
    "completeness": people.completeness,
    "injected": people.injected,
}
# Made of what others say: whoever judges blind is not shown it.
_OF_OTHERS = ("missed", "models", "labels", "disagreement")
_DAYS = (7, 14, 30, 90)
_USUAL = 14


class PeriodForm(forms.Form):
    """Of how many days the answers are counted."""

    days = forms.TypedChoiceField(choices=[(days, f"{days} days") for days in _DAYS], coerce=int, initial=_USUAL)

    def period_for(self, user: Visitor) -> Period:
        """Return the days that were asked for; the usual ones where that cannot be read."""
        return Period(self.cleaned_data["days"] if self.is_valid() else _USUAL, user)


@requires("detection.view_detection", "curation.view_validationevent")
@require_safe
def statistics(request: HttpRequest) -> HttpResponse:
    """Show how review goes."""
    asked = PeriodForm(request.GET).period_for(request.user)
    context = {
        "statistics": [make(asked) for make in _offered(request.user).values()],
        "days": asked.days,
        "choices": _DAYS,
    }
    return render(request, "curation/statistics.html", context)


@requires("detection.view_detection", "curation.view_validationevent")
@require_safe
def table(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with one table as CSV."""
    make = _offered(request.user).get(slug)
    if make is None:
        raise Http404
    found = make(PeriodForm(request.GET).period_for(request.user))
    answer = HttpResponse(found.csv(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{slug}.csv"'
    return answer


def _offered(user: Visitor) -> Mapping[str, Callable[[Period], Statistic]]:
    """Return the statistics that a person may see."""
    hidden = _OF_OTHERS if visibility.is_blind(user) else ()
    return {slug: make for slug, make in STATISTICS.items() if slug not in hidden}
