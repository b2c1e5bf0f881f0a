"""Which frames it is known of how far refraction shifts their stars."""

import numpy as np
import pytest

from differencing.stage.refraction import refraction_between
from observations.numerics.fits.wcs import nominal_wcs
from tests import factories

pytestmark = pytest.mark.django_db

WCS = nominal_wcs(150.0, 20.0, 1.0, (200, 200))


def _frame(mjd_utc, telescope):
    return factories.ObservationFactory(ra=150.0, dec=20.0, mjd_utc=mjd_utc, telescope=telescope, filter_band="Clear")


def _reference(*members):
    reference = factories.ReferenceFactory(best_member=members[0])
    reference.members.set(members)
    return reference


def test_a_frame_far_from_the_meridian_is_shifted_against_a_reference_near_it():
    site = factories.TelescopeFactory(latitude_deg=28.3, longitude_deg=-16.5)
    # RA 150 passes the meridian of this site at MJD 61050.17.
    reference = _reference(_frame(61_050.16, site), _frame(61_050.18, site))
    near, far = (refraction_between(_frame(mjd, site), reference, WCS) for mjd in (61_050.17, 61_050.34))
    assert np.hypot(*near) < 0.02
    # A tangent of 1.8 between them, of 0.35 arcsec and 1.1 mag of colour.
    assert 0.4 < np.hypot(*far) < 1.2
    assert refraction_between(_frame(61_050.34, site), reference, WCS) == pytest.approx(far)


def test_without_the_site_of_each_frame_nothing_is_said():
    site, unknown = factories.TelescopeFactory(), factories.TelescopeFactory(latitude_deg=None, longitude_deg=None)
    known = _frame(61_050.17, site)
    for own, members in (
        (_frame(61_050.2, unknown), (known,)),
        (_frame(61_050.2, None), (known,)),
        (known, (known, _frame(61_050.2, unknown))),
    ):
        assert refraction_between(own, _reference(*members), WCS) is None
    assert refraction_between(known, factories.ReferenceFactory(), WCS) is None
