"""Who asks: the owner of a token. A browser's session is known by REST framework itself."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from catalog.models import ApiToken, User
from catalog.people.tokens import TokenRefused, verify
from catalog.web.rest.throttling import FailedTokens


class ByToken(BaseAuthentication):
    """`Authorization: Token astrid_…`"""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        kind, _, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if kind.lower() != "token":
            return None
        try:
            token = verify(text.strip())
        except TokenRefused as refusal:
            # Counted here, so that a true token opens from wherever others guess.
            if wait := FailedTokens().count(request):
                raise Throttled(wait, "Too many unknown tokens were sent from this address.") from refusal
            raise AuthenticationFailed(str(refusal), refusal.code) from refusal
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Token realm="AstrID"'
