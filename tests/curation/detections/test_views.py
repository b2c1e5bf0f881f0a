"""Pages of one detection and of one source."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from catalog.files import storage
from catalog.ids import uuid7
from catalog.models import SystemConfig, User
from catalog.templatetags.astrid import legible
from curation.models import ValidationEvent
from differencing.models import DifferenceRun
from observations.numerics.fits.products import encode_image
from tests.browsers import staff_of
from tests.curation.looks import AB, SHOWS, judge, measured, seen
from tests.differencing.images import wcs
from tests.factories import (
    AlertFactory,
    DetectionFactory,
    FieldFactory,
    KnownObjectFactory,
    KnownObjectSearchFactory,
    ObservationFactory,
    PreprocessRunFactory,
    SourceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
HOSTILE = '<script>alert(1)</script> "><img src=x onerror=alert(2)> \x1b[31m \u202eback'


@pytest.fixture
def client() -> Client:
    return staff_of("viewer")


def html_of(client: Client, row: Any) -> str:
    kind = "sources" if row._meta.model_name == "source" else "detections"
    answer = client.get(f"/{kind}/{row.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def text_of(client: Client, row: Any) -> str:
    """Return the words of a page, without its tags."""
    body = html_of(client, row).split("<main", 1)[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


# --- One detection ---


def test_a_detection_says_why_it_is_here(client: Client):
    row = seen(snr=25.0, score=0.987)
    known = {"zero_point_mag": 25.0, "zero_point_error": 0.02, "zero_point_system": "AB"}
    PreprocessRunFactory(observation=row.observation, **known)
    text = text_of(client, row)
    for words in ("0.987 by real-bogus 0", "+25.0 sigma", "17.26 ± 0.05 (AB)", "1250 ± 50 ADU", "FWHM 3.0 px", "zogy"):
        assert words in text, words
    assert "solved against a star catalogue" in text


def test_what_is_not_known_is_said_not_to_be(client: Client):
    row = seen(observation_id="a1", pixel_scale=None, wcs_quality="nominal")
    text = text_of(client, row)
    assert "unknown: the frame has no zero point" in text
    assert "No cutouts are stored" in text
    assert "Nobody has reviewed it yet." in text


def test_cutouts_have_a_scale_and_where_it_is_known_a_compass(client: Client, empty_data_root: Path):
    row = seen(footprint=SHOWS)
    image = storage.write_atomically("north.fits", encode_image(np.zeros((4, 4), dtype=np.float32), wcs=wcs()))
    DifferenceRun.objects.update(difference_image_path=image)
    type(row).objects.filter(pk=row.pk).update(cutouts_path="cutouts/a.npy")
    html = html_of(client, row)
    assert html.count("?part=") == 3
    assert ">20″<" in html
    assert ">N<" in html
    type(row.observation).objects.update(wcs_quality="nominal")
    assert ">N<" not in html_of(client, row)


def test_all_answers_are_told_with_those_that_stand_no_more(client: Client):
    row = seen()
    person = judge(row, True, label="", notes="A host is there.", tags=("blue",))
    first = ValidationEvent.objects.get()
    judge(row, False, person=person)
    judge(row, None, person=person, kind="withdrawal", supersedes_id=ValidationEvent.objects.latest("created_at").pk)
    other = judge(row, False, "low")
    text = text_of(client, row)
    assert "Consensus: real" in text
    assert "A host is there." in text
    assert "tags: blue" in text
    assert f"{person.username} withdrew an answer" in text
    assert text.count("(superseded)") == 1
    assert other.username in text
    assert first.label == ""


def test_answers_on_equal_sides_decide_nothing(client: Client):
    row = seen()
    judge(row, True)
    judge(row, False)
    assert "No consensus" in text_of(client, row)


def test_in_blind_mode_a_curator_sees_others_answers_only_after_their_own():
    row = seen()
    # A label that no other part of the page speaks of.
    judge(row, True, label="variable_star", notes="Their words.")
    client = staff_of("curator", username="looker")
    assert "Their words." in html_of(client, row)
    SystemConfig.objects.create(key="curation.blind", value=True)
    for place in (row, row.source):
        html = html_of(client, place)
        assert "Their words." not in html
        assert not re.search("ariable[_ ]star", html)
        assert "validated" not in html
    assert "Their words." in html_of(staff_of("viewer"), row)
    judge(row, True, person=User.objects.get(username="looker"))
    assert "Their words." in html_of(client, row)


def test_the_detections_of_a_source_lead_to_each_other_in_order_of_time(client: Client):
    middle = seen(days=2.0)
    last, first = seen(middle.source, days=3.0), seen(middle.source, days=1.0)
    html = html_of(client, middle)
    assert re.search(rf'rel="prev" href="/detections/{first.pk}/"', html)
    assert re.search(rf'rel="next" href="/detections/{last.pk}/"', html)
    assert "epoch 2 of 3" in html
    assert 'rel="prev"' not in html_of(client, first)


def test_a_detection_without_source_and_candidate_has_a_page(client: Client):
    place = {"ra": 1.0, "dec": 2.0, "pixel_x": 1.0, "pixel_y": 2.0}
    row = DetectionFactory(source=None, candidate=None, observation=ObservationFactory(), origin="imported", **place)
    assert "imported from another alert stream" in text_of(client, row)


def test_what_people_and_headers_wrote_is_text(client: Client):
    row = seen(object_name=HOSTILE, original_name=HOSTILE, field=FieldFactory(name=HOSTILE))
    person = UserFactory(username="<b>name</b>")
    judge(row, True, notes=HOSTILE, tags=(HOSTILE[:60],), person=person)
    AlertFactory(detection=row, title=HOSTILE)
    for place in (row, row.source):
        html = html_of(client, place)
        for bad in ("<script>alert", "<img src=x", "<b>name", "\x1b", "\u202e"):
            assert bad not in html, bad
        assert "&lt;script&gt;" in html
        assert "⟨U+001B⟩" in html


def test_invisible_characters_are_written_as_their_numbers():
    assert legible("a\u202eb\x00c\u200bd\ne é 星") == "a⟨U+202E⟩b⟨U+0000⟩c⟨U+200B⟩d\ne é 星"


def test_only_who_judges_is_led_to_triage():
    row = seen()
    assert "Review in triage" in html_of(staff_of("curator"), row)
    assert "Review in triage" not in html_of(staff_of("operator"), row)


def test_an_unknown_detection_or_source_is_not_found(client: Client):
    assert client.get(f"/detections/{uuid7()}/").status_code == 404
    assert client.get(f"/sources/{uuid7()}/").status_code == 404


def test_a_page_asks_as_much_for_two_epochs_as_for_twelve(client: Client, django_assert_num_queries: Any):
    field = FieldFactory()
    row = seen(field=field, footprint=SHOWS)
    # Six of the detection's are what is known of the Solar System there, five what else is known around it, one notes,
    # one what was reported of it.
    counts = ((row, 26), (row.source, 12))
    for days in range(1, 13):
        more = seen(row.source, days=float(days), field=field, footprint=SHOWS)
        measured(row.source, days + 0.5)
        judge(more, True)
        if days in (1, 12):
            for place, expected in counts:
                with django_assert_num_queries(expected):
                    html_of(client, place)


def test_a_detection_says_whether_it_is_a_known_body_of_the_solar_system(client: Client):
    row = seen()
    assert "Known body cannot say: no orbits are loaded" in text_of(client, row)
    KnownObjectSearchFactory(observation=row.observation, ra=row.ra, dec=row.dec)
    KnownObjectFactory(observation=row.observation, ra=row.ra, dec=row.dec, designation="(2713) Luxembourg")
    assert "known: (2713) Luxembourg, 0.0″ away, V 16.8, orbits of 3 days ago" in text_of(client, row)


# --- One source ---


def test_a_source_shows_its_history_the_latest_first(client: Client):
    row = seen(days=0.0)
    later = seen(row.source, days=1.0)
    person = judge(row, True, notes="Mine.")
    AlertFactory(detection=row, title="New source told")
    history = text_of(client, row.source).split("History")[1]
    assert history.index("New source told") < history.index("Mine.") < history.index("Detected")
    assert history.count("Detected in") == 2
    assert person.username in history
    assert str(later.pk) in html_of(client, row.source)


def test_a_light_curve_has_a_title_and_a_table_of_the_same(client: Client):
    row = seen(days=1.0, field=FieldFactory())
    PreprocessRunFactory(observation=row.observation, zero_point_mag=25.0, limiting_magnitude=19.0)
    measured(row.source, 0.5, **AB)
    measured(row.source, 0.7, reason="masked")
    html = html_of(client, row.source)
    assert '<title id="curve-title">Light curve</title>' in html
    assert "not detected to 19.0 mag" in html
    assert "Table of the 3 epochs" in html
    assert "&gt; 19.0" in html
    assert "day0.5.fits" in html
    assert "not measured, too many pixels are masked there" in html
    assert "Total: with the star" not in html
    measured(row.source, 0.8, total_flux=10000.0, total_flux_error=100.0, **AB)
    html = html_of(client, row.source)
    assert "15.00 ± 0.02 mag" in html
    assert "Total: with the star" in html


def test_counts_are_called_counts_where_no_magnitude_is_known(client: Client):
    assert "No frame has a zero point" in text_of(client, seen().source)


def test_neighbours_are_told_with_their_distance_the_nearest_first(client: Client):
    row = seen().source
    type(row).objects.filter(pk=row.pk).update(wcs_quality="solved")
    for name, arcsec in (("far", 9.0), ("near", 4.0), ("distant", 11.0)):
        SourceFactory(name=name, ra=row.ra, dec=row.dec + arcsec / 3600.0, wcs_quality="solved")
    SourceFactory(name="unsure", ra=row.ra, dec=row.dec, wcs_quality="nominal")
    text = text_of(client, row)
    assert text.index("near 4.0″ away") < text.index("far 9.0″ away")
    assert "distant" not in text
    assert "unsure" not in text


def test_a_source_of_unknown_position_has_no_neighbours(client: Client):
    row = SourceFactory(wcs_quality="nominal")
    SourceFactory(wcs_quality="solved", name="other")
    text = text_of(client, row)
    assert "not compared with other sources" in text
    assert "Nothing has been measured here yet." in text
