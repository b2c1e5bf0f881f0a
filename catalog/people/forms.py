"""Forms of one's own account."""

from __future__ import annotations

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, UserCreationForm
from django.contrib.auth.models import Group
from django.http import QueryDict

from catalog.models import AccountLink, User
from catalog.people.scopes import open_to
from catalog.people.standing import roles_open_to, unnamed
from catalog.people.tokens import DAYS, LONGEST_NAME
from catalog.roles import ROLES

_DAYS = ((7, "a week"), (30, "a month"), (DAYS, "three months"), (365, "a year"))


class TokenForm(forms.Form):
    """A new token: only what its owner's role has a use for is offered."""

    name = forms.CharField(max_length=LONGEST_NAME, label="Purpose")
    scopes = forms.MultipleChoiceField(
        label="Scopes",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "A token without a scope gives access to nothing: choose at least one."},
    )
    days = forms.TypedChoiceField(choices=_DAYS, coerce=int, initial=DAYS, label="Valid for")

    def __init__(self, user: User, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id="token_%s")
        scopes = self.fields["scopes"]
        if isinstance(scopes, forms.MultipleChoiceField):
            scopes.choices = [(name, f"{name}: {title}") for name, title in open_to(user).items()]


class PasswordForm(PasswordChangeForm):
    """Django's own, which takes no focus from a page that is about more."""

    def __init__(self, user: User, *args: object, **kwargs: object) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields["old_password"].widget.attrs.pop("autofocus", None)


class InviteForm(forms.Form):
    """Somebody to let in: only roles that may do no more than who invites are offered."""

    email = forms.EmailField(max_length=254, label="E-mail address")
    role = forms.ModelChoiceField(Group.objects.none(), label="Role", empty_label=None)

    def __init__(self, user: User, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id="invite_%s")
        role = self.fields["role"]
        if isinstance(role, forms.ModelChoiceField):
            # A team lets nobody in by itself.
            role.queryset = unnamed(roles_open_to(user))
            # Nobody is made an administrator by leaving a box as it is.
            role.initial = role.queryset.filter(name=ROLES[0]).first()


class AcceptForm(UserCreationForm):
    """Name and password of a new account; a password like the address that was invited is refused too."""

    class Meta:
        model = User
        fields = ("username",)

    def __init__(self, link: AccountLink, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.instance.email = link.email


class AskResetForm(forms.Form):
    """Who has forgotten their password, in their words."""

    who = forms.CharField(
        max_length=254, label="User name or e-mail address",
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )  # fmt: skip
