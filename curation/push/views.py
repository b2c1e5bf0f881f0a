"""Pages of subscriptions: which there are, what each gets, what came of it, and what people do with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog.configuration.values import snapshot
from catalog.failures import NotPossible
from catalog.models import User, Visitor
from catalog.people.actors import actor_of
from catalog.roles import MAY_KEEP_ACCOUNTS, MAY_SUBSCRIBE
from catalog.web.access import requires
from catalog.web.back import back_to
from catalog.web.lists import list_page
from curation.alerts.automatic import automatic
from curation.alerts.criteria import Criteria, criteria_of
from curation.alerts.takeover import taken_from
from curation.judgements.visibility import is_blind
from curation.models import OPEN, Delivery, DeliveryStatus, SavedFilter, Subscription
from curation.push import keeping
from curation.push.arrived import bring_up_without
from curation.push.filters import DeliveryFilter
from curation.push.forms import NightsForm, SubscriptionForm
from curation.push.history import history
from curation.push.sending import receiver_of, try_out
from curation.push.words import criteria_in_words

_NEWEST = ("-id",)
_FEW = 20
_MOST_ENDED = 100
_may_subscribe = requires(MAY_SUBSCRIBE, "curation.view_alert")


@_may_subscribe
@require_safe
def subscriptions(request: HttpRequest) -> HttpResponse:
    """Show the subscriptions: one's own, to administrators all."""
    if is_blind(request.user):
        return render(request, "curation/subscriptions.html", {"blind": keeping.BLIND})
    newest = Delivery.objects.filter(subscription=OuterRef("pk"), delivered_at__isnull=False).order_by("-id")
    rows = Subscription.objects.visible_to(request.user).select_related("owner")
    rows = rows.annotate(last_arrived_at=Subquery(newest.values("delivered_at")[:1])).order_by("name", "id")
    shown = list(rows.filter(ended_at__isnull=True))
    counts = _counts(shown, request.user)
    for row in shown:
        row.where = keeping.shown_address(row)
        row.words = criteria_in_words(criteria_of(row.criteria))
        row.open = sum(counts[row.pk, state] for state in OPEN)
        row.dead = counts[row.pk, DeliveryStatus.DEAD]
    context = {"subscriptions": shown, "ended": rows.filter(ended_at__isnull=False).order_by("-ended_at")[:_MOST_ENDED]}
    return render(request, "curation/subscriptions.html", context)


@_may_subscribe
@never_cache
def new_subscription(request: HttpRequest) -> HttpResponse:
    """Make a subscription, after a look at what it would have given; its secret is shown this once."""
    person = _person(request)
    if request.method != "POST":
        saved = _saved_filter(request)
        taken = taken_from(saved) if saved else None
        form = SubscriptionForm(criteria=taken.criteria if taken else Criteria())
        return _form_page(request, form, taken=taken, saved_from=saved)
    form = SubscriptionForm(request.POST)
    if not form.is_valid() or "preview" in request.POST:
        return _form_page(request, form)
    try:
        row, secret = keeping.subscribe(person, form.wish, actor_of(request))
    except keeping.Refused as refusal:
        form.add_error(refusal.field or None, str(refusal))
        return _form_page(request, form)
    messages.success(request, f"Subscribed: “{row.name}” gets what is published from now on.")
    return _page(request, row, secret=secret) if secret else redirect("curation:subscription", row.pk)


@_may_subscribe
@never_cache
def edit_subscription(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Change a subscription of one's own."""
    row = _own(request, subscription_id)
    form = SubscriptionForm(request.POST if request.method == "POST" else None, row=row)
    if request.method != "POST" or not form.is_valid() or "preview" in request.POST:
        return _form_page(request, form)
    try:
        row, secret = keeping.change(row, form.wish, actor_of(request))
    except keeping.Refused as refusal:
        form.add_error(refusal.field or None, str(refusal))
        return _form_page(request, form)
    except NotPossible as refusal:
        form.add_error(None, str(refusal))
        return _form_page(request, form)
    messages.success(request, f"Changed: “{row.name}”.")
    return _page(request, row, secret=secret) if secret else redirect("curation:subscription", row.pk)


@_may_subscribe
@require_safe
def subscription(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Show one subscription, what it would have given in the last nights, and its newest deliveries."""
    return _page(request, _visible(request, subscription_id))


@_may_subscribe
@require_POST
@never_cache
def rotate_secret(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Make another secret and show it, this once: in this answer, and nowhere else."""
    row = _own(request, subscription_id)
    try:
        secret = keeping.rotate(row, actor_of(request))
    except NotPossible as refusal:
        messages.warning(request, str(refusal))
        return redirect("curation:subscription", row.pk)
    return _page(request, row, secret=secret)


@_may_subscribe
@require_POST
@never_cache
def test_subscription(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Send a test now, and show what was answered."""
    row = _own(request, subscription_id)
    if row.ended_at is not None:
        messages.warning(request, "This subscription has ended.")
        return redirect("curation:subscription", row.pk)
    return _page(request, row, outcome=try_out(row))


@_may_subscribe
@require_POST
def pause_subscription(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Send nothing for a while."""
    return _change(request, subscription_id, lambda row: keeping.pause(row, actor_of(request)), "Paused")


@_may_subscribe
@require_POST
def resume_subscription(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """Go on, with what was published meanwhile or without it."""
    skips = bool(request.POST.get("skips"))
    return _change(request, subscription_id, lambda row: keeping.resume(row, actor_of(request), skips=skips), "Resumed")


@_may_subscribe
@require_POST
def end_subscription(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """End a subscription; its rows stay."""
    return _change(request, subscription_id, lambda row: keeping.end(row, actor_of(request)), "Ended")


@_may_subscribe
@require_safe
def deliveries(request: HttpRequest) -> HttpResponse:
    """Show deliveries, the newest first: the dead ones to be tried again."""
    _person(request)
    rows = Delivery.objects.visible_to(request.user).select_related("subscription", "publication__alert")
    context = list_page(request, DeliveryFilter, rows.defer(*_LONG), _NEWEST)
    context["any_dead"] = any(row.status == DeliveryStatus.DEAD for row in context["page"].rows)
    return render(request, "curation/deliveries.html", context)


@_may_subscribe
@require_POST
def replay_deliveries(request: HttpRequest) -> HttpResponse:
    """Let a dead delivery be tried again, or all of a subscription."""
    _person(request)
    rows = Delivery.objects.visible_to(request.user).filter(subscription__in=_manageable(request))
    try:
        one, every = request.POST.get("delivery"), request.POST.get("subscription")
        rows = rows.filter(pk=UUID(one)) if one else rows.filter(subscription=UUID(every or ""))
    except ValueError as error:
        raise Http404 from error
    count = keeping.replay(rows, actor_of(request))
    messages.success(request, f"{count} deliver{'y' if count == 1 else 'ies'} will be tried again.")
    return back_to(request, "curation:deliveries")


_LONG = ("publication__payload", "publication__alert__message", "publication__alert__alert_metadata")


def _page(request: HttpRequest, row: Subscription, **shown: object) -> HttpResponse:
    criteria, nights = criteria_of(row.criteria), NightsForm.asked(request.GET)
    own: QuerySet[Delivery] = Delivery.objects.visible_to(request.user).filter(subscription=row)
    newest = own.order_by("-id").select_related("publication__alert")
    counts = _counts([row], request.user)
    row.refresh_from_db()
    context = {
        "row": row,
        "where": keeping.shown_address(row),
        "fault": receiver_of(row).fault,
        "words": criteria_in_words(criteria),
        "criteria": criteria,
        "automatic": automatic(snapshot()),
        "is_own": row.owner_id == request.user.pk,
        "may_keep": row.owner_id == request.user.pk or request.user.has_perm(MAY_KEEP_ACCOUNTS),
        "deliveries": newest.defer(*_LONG)[:_FEW],
        "open": sum(counts[row.pk, state] for state in OPEN),
        "dead": counts[row.pk, DeliveryStatus.DEAD],
        "history": history(criteria, nights, request.user),
        "nights_form": NightsForm({"nights": nights}),
        **shown,
    }
    return render(request, "curation/subscription.html", context)


def _form_page(request: HttpRequest, form: SubscriptionForm, **more: object) -> HttpResponse:
    """Show the form, with what its filter would have given where it can be read."""
    nights, found = NightsForm.asked(request.POST), None
    if form.is_bound and not {"place", *(field.name for field in (*form.several, *form.bounds))} & set(form.errors):
        found = history(form.criteria, nights, request.user)
    context = {
        "form": form,
        "nights_form": NightsForm({"nights": nights}),
        "history": found,
        "automatic": automatic(snapshot()),
        "saved": SavedFilter.objects.filter(person=request.user.pk),
        **more,
    }
    is_wrong = form.is_bound and bool(form.errors) and "preview" not in request.POST
    return render(request, "curation/subscription_form.html", context, status=400 if is_wrong else 200)


def _change(
    request: HttpRequest, subscription_id: UUID, change: Callable[[Subscription], None], done: str
) -> HttpResponse:
    _person(request)
    row = get_object_or_404(_manageable(request), pk=subscription_id)
    try:
        change(row)
    except NotPossible as refusal:
        messages.warning(request, str(refusal))
    else:
        bring_up_without(row)
        messages.success(request, f"{done}: “{row.name}”.")
    return redirect("curation:subscription", row.pk)


def _person(request: HttpRequest) -> User:
    """Return who asks. Whoever judges blind is told nothing of what was told of others' judgements."""
    if is_blind(request.user) or not isinstance(request.user, User):
        raise PermissionDenied(keeping.BLIND)
    return request.user


def _visible(request: HttpRequest, subscription_id: UUID) -> Subscription:
    _person(request)
    rows: QuerySet[Subscription] = Subscription.objects.visible_to(request.user).select_related("owner")
    return get_object_or_404(rows, pk=subscription_id)


def _own(request: HttpRequest, subscription_id: UUID) -> Subscription:
    return get_object_or_404(Subscription, pk=subscription_id, owner=_person(request))


def _manageable(request: HttpRequest) -> QuerySet[Subscription]:
    """Return those with which a person may do something: their own, for administrators all."""
    rows: QuerySet[Subscription] = Subscription.objects.visible_to(request.user)
    return rows if request.user.has_perm(MAY_KEEP_ACCOUNTS) else rows.filter(owner=request.user.pk)


def _saved_filter(request: HttpRequest) -> SavedFilter | None:
    try:
        key = UUID(request.GET.get("from", ""))
    except ValueError:
        return None
    return SavedFilter.objects.filter(person=request.user.pk, pk=key).first()


def _counts(rows: list[Subscription], user: Visitor) -> Counter[tuple[UUID, str]]:
    """Return how many deliveries of each subscription are open or dead."""
    shown = Delivery.objects.visible_to(user)
    found = shown.filter(subscription__in=rows, status__in=(*OPEN, DeliveryStatus.DEAD)).order_by()
    counted = found.values_list("subscription", "status").annotate(count=Count("id"))
    return Counter({(key, status): count for key, status, count in counted})
