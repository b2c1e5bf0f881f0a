"""The cone search behind a real web server, asked by pyvo."""

from __future__ import annotations

import datetime as dt

import pytest
import pyvo
import requests

from detection.models import Detection, Source
from tests.clients import account, token_of
from tests.factories import DetectionFactory, SourceFactory
from tests.siteserver import serving_site


@pytest.mark.django_db(transaction=True)
def test_pyvo_finds_rows_and_reads_what_is_wrong():
    row, user = DetectionFactory(ra=359.9999, dec=-40.0, confidence_score=0.75), account("viewer")
    SourceFactory.create_batch(3, ra=0.0001, dec=-40.0, last_detected_at=dt.datetime(2024, 3, 1, tzinfo=dt.UTC))
    session = requests.Session()
    session.auth = ("any", token_of(user))
    with serving_site() as site:
        for path in ("/vo/scs", "/vo/scs/detections"):
            service = pyvo.dal.SCSService(f"{site}{path}", session=session)
            found = service.search(pos=(0.0, -40.0), radius=0.01, verbosity=2)
            assert [one["id"] for one in found] == [str(row.pk)]
            assert (found[0]["ra"], found[0]["dec"]) == (row.ra, row.dec)
        assert found.to_table()["ra"].unit == "deg" and found[0]["confidence_score"] == 0.75
        sources = pyvo.dal.SCSService(f"{site}/vo/scs/sources", session=session)
        assert len(sources.search((0.0, -40.0), radius=0.01)) == Source.objects.filter(dec=-40.0).count() >= 3
        assert len(sources.search((90.0, 40.0), radius=0.01)) == 0
        with pytest.raises(pyvo.DALQueryError, match="RA: 400 is none"):
            sources.create_query(ra=400.0, dec=0.0, sr=1.0).execute()
    assert Detection.objects.count() == 1
