"""Sessions in the database, read with one plain statement: every request reads its own first."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from catalog.models import LoginSession

_SQL = "SELECT session_data, seen_at FROM catalog_loginsession WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    """Django's own with whose it is, and whose query takes Python longer to write than the database to answer.

    seen_at : when somebody was last seen here, as it stood in the row; None where there is none yet.
    """

    seen_at: dt.datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[LoginSession]:
        return LoginSession

    def load(self) -> dict[str, object]:
        """Return what the session holds; nothing where it is over or never was."""
        with connection.cursor() as cursor:
            cursor.execute(_SQL, (self.session_key, timezone.now()))
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return {}
        self.seen_at = found[1]
        return dict(self.decode(found[0]))

    def save(self, must_create: bool = False) -> None:
        """Write what it holds and whose it is. One that was ended meanwhile is not written again: UpdateError."""
        if self.session_key is None:
            self.create()
            return
        held = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        account = held.get(SESSION_KEY)
        values = {
            "session_data": self.encode(held),
            "expire_date": self.get_expiry_date(),
            "user_id": None if account is None else UUID(str(account)),
        }
        if must_create:
            self.seen_at = None
            try:
                with transaction.atomic():
                    LoginSession.objects.create(session_key=self.session_key, **values)
            except IntegrityError as error:
                raise CreateError from error
        elif not LoginSession.objects.filter(session_key=self.session_key).update(**values):
            raise UpdateError
