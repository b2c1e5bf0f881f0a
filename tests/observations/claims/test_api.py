"""Doubts and profiles, for clients."""

from __future__ import annotations

import pytest

from observations.models import Doubt
from tests.clients import client_of
from tests.factories import DoubtFactory, ProfileFactory

pytestmark = pytest.mark.django_db
DOUBTS = "/api/v1/doubts/"


def test_the_doubts_of_a_frame_are_listed_and_those_that_hold_back_can_be_asked_for():
    row = DoubtFactory(blocks_publication=True, value=12.0)
    DoubtFactory(observation=row.observation, code="gain_is_a_setting", fact="gain")
    client = client_of("viewer")
    assert client.get(DOUBTS, {"observation": str(row.observation_id)}).json()["results"][0]["message"]
    (one,) = client.get(DOUBTS, {"blocks_publication": "true", "is_settled": "false"}).json()["results"]
    assert (one["code"], one["value"], one["settled_by"]) == ("time_contradicted", 12.0, "")


def test_an_operator_settles_a_doubt_once_and_a_viewer_not_at_all():
    row = DoubtFactory()
    address = f"{DOUBTS}{row.pk}/settle/"
    assert client_of("viewer").post(address, {}, content_type="application/json").status_code == 403
    operator = client_of("operator")
    answer = operator.post(address, {"note": "the sky says so"}, content_type="application/json")
    assert (answer.status_code, answer.json()["settled_note"]) == (200, "the sky says so")
    assert operator.post(address, {}, content_type="application/json").status_code == 409
    assert operator.post(f"{DOUBTS}{row.pk}/reopen/", {}, content_type="application/json").status_code == 200
    assert Doubt.objects.get().settled_at is None


def test_profiles_are_read():
    ProfileFactory(name="the ZWO")
    (one,) = client_of("viewer").get("/api/v1/instrument-profiles/").json()["results"]
    assert (one["name"], one["rules"]) == ("the ZWO", {"gain_e_per_adu": 0.8})
