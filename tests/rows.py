"""A row of each kind that no other row brings with it."""

from __future__ import annotations

from observations.delivery.incoming import submit_url
from observations.numerics.fits.facts import Overrides
from tests import factories


def rows_of_every_kind() -> None:
    """Make telescopes, fields, doubts, profiles, calibration, references, tracklets, scores, forced photometry, orbits,
    known objects, catalogues, a delivery, a report, a packet, an archive and a file on its way in."""
    observation = factories.ObservationFactory(telescope=factories.TelescopeFactory(), field=factories.FieldFactory())
    frame = factories.CalibrationFrameFactory(telescope=observation.telescope)
    factories.CalibrationMasterFactory(telescope=observation.telescope).members.add(frame)
    reference = factories.ReferenceFactory(best_member=observation)
    reference.members.add(observation)
    score = factories.CandidateScoreFactory()
    factories.CalibrationFactory(model=score.model)
    factories.TrackletFactory(mover=factories.MoverFactory()).members.add(score.candidate)
    factories.ForcedPhotometryFactory()
    factories.OrbitFactory()
    factories.DataSetFactory()
    factories.ContextSourceFactory()
    factories.KnownObjectSearchFactory(observation=observation)
    factories.KnownObjectFactory(observation=observation)
    factories.ArchiveRunFactory(archive=factories.ArchiveProductFactory().archive)
    factories.ArchiveHostFactory()
    factories.DoubtFactory(observation=observation)
    factories.ProfileFactory()
    factories.RemovedFileFactory(entity_id=observation.pk)
    report = factories.ReportRowFactory().report
    factories.ReportAttemptFactory(report=report)
    factories.AlertPacketFactory(publication=factories.DeliveryFactory().publication)
    row, _ = submit_url("https://archive.example.org/mosaic.fits", Overrides())
    row.results = [
        {"hdu": 1, "entity_type": "observation", "entity_id": str(observation.pk), "is_new": True,
         "failure_code": "", "error_message": ""},
        {"hdu": 2, "entity_type": "", "entity_id": None, "is_new": False,
         "failure_code": "no_wcs", "error_message": "It has no position."},
    ]  # fmt: skip
    row.save()
