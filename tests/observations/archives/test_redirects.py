"""A redirect to another server: that one has its turn, its pause and its rest as well."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from observations.models import ArchiveHost, ArchiveProduct, ProductState
from tests.archiveserver import ArchiveServer, Offer, serving_archive
from tests.webserver import redirect

pytestmark = pytest.mark.django_db
PAUSE_S = 0.2
# Of a clock of the client's and one of the server's.
TOLERANCE_S = 0.02


@pytest.fixture
def store(archive_server, settings, lights) -> Iterator[ArchiveServer]:
    """Where the files of an archive lie: to whom its own server sends on."""
    with serving_archive(*(Offer("", f"/{n}.fits", lights[n]) for n in range(3))) as other:
        settings.ASTRID_OUTGOING_HOSTS = [*settings.ASTRID_OUTGOING_HOSTS, other.address]
        archive_server.offers = [
            Offer(f"ivo://d/s?{n}", f"/{n}.fits", b"", mjd=61000.0 + n, answer=redirect(other.url(f"/{n}.fits")))
            for n in range(3)
        ]
        yield other


def test_the_server_behind_a_redirect_has_its_pause(archive, archive_server, store, work):
    set_value("ingest.archive_pause_seconds", PAUSE_S, MACHINE)
    work()
    assert set(store.wholes.values()) == {1} and len(store.wholes) == 3
    # Each file is asked of the one and then of the other: two pauses of one server would hide a missing one.
    ArchiveHost.objects.get(name=store.address)
    assert min(later - earlier for earlier, later in itertools.pairwise(store.begun)) >= PAUSE_S - TOLERANCE_S


def test_the_server_behind_a_redirect_that_wants_rest_has_it_and_the_one_before_does_not(
    archive, archive_server, store, work
):
    store.refusing = [(503, "600")]
    work()
    assert len(store.begun) == 1, "the other files wait without asking it"
    rests = ArchiveHost.objects.get(name=store.address)
    assert rests.resting_until is not None and (rests.resting_until - rests.updated_at).total_seconds() > 590
    assert ArchiveHost.objects.get(name=archive_server.address).resting_until is None
    assert sorted(ArchiveProduct.objects.values_list("state", "tries")) == [
        (ProductState.FOUND, 0), (ProductState.FOUND, 0), (ProductState.FOUND, 1)
    ]  # fmt: skip
    work(again=True)
    assert set(ArchiveProduct.objects.values_list("state", flat=True)) == {ProductState.FETCHED}
    assert ArchiveHost.objects.get(name=store.address).failures == 0
