"""Pages behind links that let somebody in, and the one that asks for such a link: open to everybody."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from catalog.models import AccountLink, LinkKind
from catalog.people import invitations, links, resets
from catalog.people.actors import actor_of
from catalog.people.forms import AcceptForm, AskResetForm

_GONE = 410
_READS_AND_WRITES = ["GET", "HEAD", "POST"]


@sensitive_post_parameters()
@never_cache
@require_http_methods(_READS_AND_WRITES)
def accept_invitation(request: HttpRequest, text: str) -> HttpResponse:
    """Let somebody who was invited choose name and password."""
    try:
        link = links.find(LinkKind.INVITATION, text)
    except links.LinkRefused as refusal:
        return _refuse(request, refusal, "Ask whoever invited you for another one.")
    form = AcceptForm(link, request.POST if request.method == "POST" else None)
    if form.is_valid():
        given = form.cleaned_data
        try:
            account = invitations.accept(link, given["username"], given["password1"], actor_of(request))
        except links.LinkRefused as refusal:
            form.add_error("username", str(refusal))
        else:
            messages.success(request, f"Welcome, {account.username}. Log in with the password that you have chosen.")
            return redirect("login")
    return _ask(request, form, {"link": link})


@sensitive_post_parameters()
@never_cache
@require_http_methods(_READS_AND_WRITES)
def reset_password(request: HttpRequest, text: str) -> HttpResponse:
    """Let somebody with a link choose another password."""
    try:
        link = links.find(LinkKind.PASSWORD_RESET, text)
    except links.LinkRefused as refusal:
        return _refuse(request, refusal, "Ask for another one at the log-in.")
    if link.user is None:
        raise Http404
    form = SetPasswordForm(link.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _reset(request, link, form)
    return _ask(request, form, {"link": link})


def _reset(request: HttpRequest, link: AccountLink, form: SetPasswordForm) -> HttpResponse:
    try:
        resets.reset(link, form.cleaned_data["new_password1"], actor_of(request))
    except links.LinkRefused as refusal:
        return _refuse(request, refusal, "Ask for another one at the log-in.")
    messages.success(
        request, "Your password has been changed, and you are logged out everywhere. Log in with the new one."
    )
    return redirect("login")


@never_cache
@require_http_methods(_READS_AND_WRITES)
def ask_reset(request: HttpRequest) -> HttpResponse:
    """Take down who has forgotten their password; the answer is the same for everybody."""
    can_mail = links.can_mail_links()
    form = AskResetForm(request.POST if request.method == "POST" and can_mail else None)
    context = {"form": form, "can_mail": can_mail, "is_asked": False, "hours": links.MAILED_RESET_LASTS.seconds // 3600}
    status = 200
    if form.is_valid():
        try:
            resets.ask(form.cleaned_data["who"], actor_of(request))
        except resets.TooMany:
            form.add_error(None, "From here too many passwords have been asked for. Try again in an hour.")
            status = 429
        else:
            context["is_asked"] = True
    return render(request, "registration/ask_reset.html", context, status=status)


def _ask(request: HttpRequest, form: AcceptForm | SetPasswordForm, context: dict[str, object]) -> HttpResponse:
    status = 400 if form.is_bound else 200
    return render(request, "registration/by_link.html", {"form": form, **context}, status=status)


def _refuse(request: HttpRequest, refusal: links.LinkRefused, advice: str) -> HttpResponse:
    return render(request, "registration/link_refused.html", {"why": str(refusal), "advice": advice}, status=_GONE)
