"""Injected sources are what they say, and the pipeline's own work knows nothing of them."""

from __future__ import annotations

from curation.injected import stage
from curation.models import GoldItem
from detection.models import Detection
from differencing.ids import field_night
from tests.nights import Night


def test_try(night: Night, monkeypatch):
    from catalog.configuration.values import set_value
    from catalog.people.audit import MACHINE

    set_value("curation.fake_share", 0.5, MACHINE)
    for f in night.good:
        print(f, f.gain_e_per_adu, Detection.objects.filter(observation=f).count())
    import time

    t = time.time()
    stage.run(field_night(night.field.pk, night.good[0].night))
    print(time.time() - t)
    for i in GoldItem.objects.select_related("detection__candidate"):
        c = i.detection.candidate
        print(
            i.kind,
            i.injected_snr,
            c.snr,
            i.injected_flux,
            c.flux,
            c.flux_error,
            i.detection.confidence_score,
            len(i.history),
            c.vetoes,
        )
    assert 0
