"""What signs is kept so that the database alone tells nobody, and what cannot be read any more loses nothing."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from standardwebhooks import Webhook

from catalog.encrypting import SecretUnreadable, decrypted, encrypted
from catalog.people import audit, factors
from curation.models import SigningSecret, Subscription
from curation.push import keeping
from curation.push.sending import receiver_of, try_out
from curation.push.signing import UNREADABLE
from tests.curation.push.pushing import make_due, states, subscription, tell, work

pytestmark = pytest.mark.django_db
migration = import_module("curation.migrations.0024_encrypted_secrets")


@pytest.fixture
def changed(settings):
    """Return what changes the key of the site, with the former one named or not."""

    def change(*, is_named: bool) -> None:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if is_named else []
        settings.SECRET_KEY = f"another than {settings.SECRET_KEY}"

    return change


def kept() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT encrypted FROM curation_signingsecret ORDER BY id DESC LIMIT 1")
        return str(cursor.fetchone()[0])


def test_a_purpose_reads_what_is_its_own_and_two_are_never_alike():
    one, other = encrypted("whsec_x", "webhooks"), encrypted("whsec_x", "webhooks")
    assert one != other and "whsec_x" not in one
    assert decrypted(one, "webhooks") == decrypted(other, "webhooks") == "whsec_x"
    for wrong, purpose in ((one, "letters"), (one[:-4] + "AAA=", "webhooks"), ("whsec_x", "webhooks")):
        with pytest.raises(SecretUnreadable, match="SECRET_KEY was changed"):
            decrypted(wrong, purpose)


def test_the_database_alone_signs_nothing_and_a_former_key_that_is_named_is_read(owner, receivers, changed):
    row, secret = subscription(owner, receivers.url("/a"))
    assert secret.removeprefix("whsec_") not in kept()
    changed(is_named=True)
    tell()
    work()
    (came,) = receivers.came
    assert Webhook(secret).verify(came.body, came.headers)["type"] == "alert.new"
    assert [state for state, _, _ in states(row)] == ["delivered"]


def test_what_cannot_be_signed_is_not_sent_waits_and_arrives_by_a_new_secret(client, owner, receivers, changed):
    row, old = subscription(owner, receivers.url("/a"))
    tell()
    changed(is_named=False)
    outcome = try_out(row)
    assert not outcome.has_arrived and outcome.reason == UNREADABLE
    client.force_login(owner)
    assert "SECRET_KEY was changed" in client.get(reverse("curation:subscription", args=[row.pk])).content.decode()
    work()
    row.refresh_from_db()
    assert (row.is_active, row.stopped_reason, receivers.came) == (False, UNREADABLE, [])
    assert states(row) in ([], [("waiting", 0, None)]), "no try was spent"
    new = keeping.rotate(row, audit.Actor(owner))
    keeping.resume(row, audit.Actor(owner))
    make_due(row)
    work()
    (came,) = receivers.came
    assert Webhook(new).verify(came.body, came.headers)
    assert receiver_of(row).secrets == (new,) and old != new
    assert [state for state, _, _ in states(row)] == ["delivered"]


def test_the_migration_keeps_every_secret_both_ways_and_says_what_it_cannot_read(owner, receivers, changed):
    row, secret = subscription(owner, receivers.url("/a"))
    migration.decrypt(apps, None)
    assert kept() == secret
    migration.encrypt(apps, None)
    assert kept() != secret and receiver_of(row).secrets == (secret,)
    changed(is_named=False)
    before = kept()
    with pytest.raises(SecretUnreadable, match=f"SECRET_KEY_FALLBACKS.*{row.pk}"):
        migration.decrypt(apps, None)
    assert kept() == before and SigningSecret.objects.count() == Subscription.objects.count() == 1


def test_what_is_renewed_needs_the_former_key_no_more_and_what_is_not_read_is_named(
    owner, receivers, changed, settings, capsys
):
    row, secret = subscription(owner, receivers.url("/a"), "to the dome")
    factors.ensure_recovery_codes(owner)
    changed(is_named=True)
    call_command("renew_secrets")
    assert "1 secrets of webhooks, 1 second factors" in capsys.readouterr().out
    settings.SECRET_KEY_FALLBACKS = []
    assert receiver_of(row).secrets == (secret,) and factors.recovery_codes_left(owner) == 10
    changed(is_named=False)
    before = kept()
    name = owner.get_username()
    with pytest.raises(CommandError, match=f"webhook “to the dome” of {name}; the second factor of {name}"):
        call_command("renew_secrets")
    assert kept() == before
