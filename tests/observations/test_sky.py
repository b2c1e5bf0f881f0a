from __future__ import annotations

import numpy as np
import pytest
from django.db import connection

from detection.models import Source
from observations import sky
from observations.numerics.healpix import position_index
from tests.factories import SourceFactory
from tests.observations.numerics.test_healpix import around, isotropic, separation_arcsec

pytestmark = pytest.mark.django_db


def store(ra: np.ndarray, dec: np.ndarray) -> None:
    Source.objects.bulk_create(
        Source(ra=float(x), dec=float(y), position_error_arcsec=0.1) for x, y in zip(ra, dec, strict=True)
    )


@pytest.mark.parametrize(
    ("ra", "dec"),
    [(0.0, 90.0), (10.0, -90.0), (123.0, 89.999), (0.0, 0.0), (359.9999, 30.0), (0.0001, -41.81), (200.0, 12.0)],
)
def test_a_cone_holds_what_brute_force_finds(ra: float, dec: float) -> None:
    parts = [around(5, 150, ra, dec, reach) for reach in (4.0, 300.0, 20_000.0)]
    parts.append(isotropic(6, 150))
    all_ra, all_dec = (np.concatenate([part[axis] for part in parts]) for axis in (0, 1))
    store(all_ra, all_dec)
    distance = separation_arcsec(all_ra, all_dec, ra, dec)
    for radius in (2.0, 100.0, 3600.0, 18_000.0, 400_000.0):
        found = Source.objects.cone(ra, dec, radius)
        assert found.count() == int((distance <= radius).sum()) > 0


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 90.0), (0.0, 0.0), (359.9999, 30.0), (200.0, 12.0)])
@pytest.mark.parametrize("few", [0, 30_000])
def test_within_cones_is_what_the_cones_hold_whether_few_or_many(
    ra: float, dec: float, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sky, "_FEW", few)
    parts = [around(7, 100, ra, dec, reach) for reach in (4.0, 300.0, 20_000.0)]
    parts.append(isotropic(8, 100))
    store(*(np.concatenate([part[axis] for part in parts]) for axis in (0, 1)))
    other = Source.objects.order_by("-pk").values_list("ra", "dec").first()
    for radius in (2.0, 3600.0, 18_000.0):
        one = set(Source.objects.cone(ra, dec, radius).values_list("pk", flat=True))
        two = set(Source.objects.cone(*other, 1.0).values_list("pk", flat=True))
        both = Source.objects.filter(position_error_arcsec=0.1).within([(ra, dec, radius), (*other, 1.0)])
        assert set(both.values_list("pk", flat=True)) == one | two
        assert one and two


def test_within_no_cone_is_nothing() -> None:
    SourceFactory()
    assert not Source.objects.within([]).exists()


def test_a_cone_of_no_radius_finds_the_very_position() -> None:
    SourceFactory(ra=10.0, dec=20.0)
    assert Source.objects.cone(10.0, 20.0, 0.0).count() == 1


def test_a_cone_joins_other_questions() -> None:
    near, _ = SourceFactory(ra=10.0, dec=20.0, detection_count=2), SourceFactory(ra=10.0, dec=20.0)
    assert list(Source.objects.filter(detection_count=2).cone(10.0, 20.0, 1.0)) == [near]


def test_every_way_of_writing_a_position_writes_its_index() -> None:
    made = SourceFactory(ra=10.0, dec=20.0)
    assert made.healpix == position_index(10.0, 20.0)
    made.ra = 11.0
    made.save()
    assert Source.objects.get().healpix == position_index(11.0, 20.0)
    made.dec = 21.0
    made.save(update_fields=["dec", "healpix"])
    assert Source.objects.get().healpix == position_index(11.0, 21.0)
    made.ra = 12.0
    Source.objects.bulk_update([made], ["ra"])
    assert Source.objects.get().healpix == position_index(12.0, 21.0)


def test_a_position_cannot_be_written_without_its_index() -> None:
    made = SourceFactory()
    with pytest.raises(ValueError, match="healpix"):
        made.save(update_fields=["ra"])
    with pytest.raises(ValueError, match="healpix"):
        Source.objects.update(dec=1.0)


def test_the_covering_index_can_answer_a_cone() -> None:
    # So few rows are read faster without an index: the planner is told not to, as it decides itself on a large table.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    assert "Index Only Scan using source_sky" in Source.objects.cone(10.0, 20.0, 5.0).explain()
