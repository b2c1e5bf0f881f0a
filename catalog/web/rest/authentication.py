"""Who asks: the owner of a token. A browser's session is known by REST framework itself."""

from __future__ import annotations

import base64
import binascii

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from catalog.models import ApiToken, User
from catalog.people.tokens import TokenRefused, beginning_of, is_like_token, verify
from catalog.web.rest.throttling import FailedTokens

_WORDS = ("token", "bearer")
_HINT = "Put the word Bearer, or Token, before the token: Authorization: Bearer astrid_…"


class ByToken(BaseAuthentication):
    """`Authorization: Token astrid_…`, or `Bearer astrid_…`"""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        kind, _, text = get_authorization_header(request).decode("latin-1").strip().partition(" ")
        text = text.strip()
        if kind.lower() not in _WORDS:
            if is_like_token(kind):
                raise AuthenticationFailed(_HINT, "token_without_word")
            return None  # The password that a proxy asks for, perhaps: a session may stand beside it.
        return _owner_of(text, request)

    def authenticate_header(self, request: Request) -> str:
        return 'Token realm="AstrID", Bearer realm="AstrID"'


class ByTokenAsPassword(BaseAuthentication):
    """HTTP Basic with a token as password, whatever the name: what clients of the Virtual Observatory can ask for."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        kind, _, text = get_authorization_header(request).decode("latin-1").strip().partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            password = base64.b64decode(text, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return None
        # The password that a proxy asks for, perhaps: a session may stand beside it.
        return _owner_of(password, request) if is_like_token(password) else None

    def authenticate_header(self, request: Request) -> str:
        return 'Basic realm="AstrID: any name, and a token as password"'


def _owner_of(text: str, request: Request) -> tuple[User, ApiToken]:
    try:
        token = verify(text)
    except TokenRefused as refusal:
        # Counted here, so that a true token opens from wherever others guess.
        if wait := FailedTokens().count(request, beginning_of(text)):
            raise Throttled(wait, "Too many unknown tokens were sent.") from refusal
        raise AuthenticationFailed(str(refusal), refusal.code) from refusal
    return token.user, token
