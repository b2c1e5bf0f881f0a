"""Detections, verdicts and looks of the alert rule, for tests of what is told."""

from __future__ import annotations

import datetime as dt

from catalog.ids import uuid7
from catalog.models import User
from catalog.people import audit
from curation.alerts import stage
from curation.judgements.verdicts import Judgement, record_validation
from curation.models import Alert
from detection.models import Detection, ForcedPhotometry, Model
from differencing.models import Tracklet
from tests import factories

# Corners of a frame that shows where the factories put a source: RA 150.01, Dec 2.01.
SHOWS = [[150.2, 1.8], [149.8, 1.8], [149.8, 2.2], [150.2, 2.2]]


def seen(
    source=None,
    *,
    snr: float = 25.0,
    score: float = 0.999,
    days: float = 0.0,
    model: Model | None = None,
    **observation,
) -> Detection:
    """Return a detection of a source, by default a sure one that may alert, so many days after the first."""
    when = factories.FIRST_EXPOSURE + dt.timedelta(days=days)
    given = {"observation_time": when, "night": when.date(), "mjd_utc": 60000.0 + days, "wcs_quality": "solved"}
    frame = factories.ObservationFactory(**{**given, **observation})
    candidate = factories.CandidateFactory(
        difference_run__observation=frame, snr=snr, flux=snr * 50.0, flux_error=50.0, significance=snr
    )
    more = {"source": source} if source is not None else {}
    more["model_run__model"] = model or trusted_model()
    return factories.DetectionFactory(candidate=candidate, confidence_score=score, **more)


def trusted_model() -> Model:
    """Return the model in use, of whose automatic alerts few are known to be false."""
    model = Model.objects.filter(is_active=True).first() or factories.ModelFactory(is_active=True)
    if not model.calibrations.exists():
        factories.CalibrationFactory(model=model)
    return model


# A zero point: with an error of 50 counts, the limit is 19.005 mag.
AB = {"zero_point_mag": 25.0, "zero_point_error": 0.02, "zero_point_system": "AB"}


def measured(source, days: float, flux: float = 20.0, error: float = 50.0, **more) -> ForcedPhotometry:
    """Return a measurement at a source's place, so many days after the first."""
    frame = {"mjd_utc": 60000.0 + days, "filter_band": more.pop("band", "R"), "original_name": f"day{days:g}.fits"}
    limit = 5.0 * error if abs(flux) < 3.0 * error else None
    values = {"flux": flux, "flux_error": error, "limiting_flux": limit}
    if "reason" in more:
        values = dict.fromkeys(values)
    given = {f"difference_run__observation__{name}": value for name, value in frame.items()}
    return factories.ForcedPhotometryFactory(source=source, **given, **values, **more)


def consider(source) -> list[str]:
    """Let the stage look at a source; return what was told so far."""
    stage.run(str(source.pk))
    return list(
        Alert.objects.filter(detection__source=source).order_by("created_at").values_list("alert_type", flat=True)
    )


def judge(detection, is_valid: bool | None, level: str = "high", *, person: User | None = None, **more) -> User:
    """Let another person judge a detection; return the person."""
    user = person or factories.UserFactory()
    judgement = Judgement(uuid7(), detection.pk, is_valid, confidence_level=level, **more)
    record_validation(judgement, user, audit.Actor(user))
    detection.refresh_from_db()
    return user


def moving(*rows: Detection, is_doubtful: bool = False) -> Tracklet:
    """Join detections to a tracklet."""
    tracklet = factories.TrackletFactory(rate_arcsec_per_min=0.36, position_angle=81.0, is_doubtful=is_doubtful)
    tracklet.members.set([row.candidate for row in rows])
    return tracklet
