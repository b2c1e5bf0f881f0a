"""Which preprocessed frames lack a master that has come since."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from catalog.configuration.values import snapshot
from observations.models import Observation
from preprocessing.models import CalibrationMaster, MasterKind, PreprocessRun

# A flat of the night's own sky stands in for a flat.
_SERVES_FOR = {MasterKind.SKY_FLAT: {MasterKind.FLAT, MasterKind.SKY_FLAT}}
_VALIDITY = {
    MasterKind.BIAS: "preprocessing.bias_validity_days",
    MasterKind.DARK: "preprocessing.dark_validity_days",
    MasterKind.FLAT: "preprocessing.flat_validity_days",
    MasterKind.SKY_FLAT: "preprocessing.sky_flat_validity_days",
}


def lights_lacking_masters(night: date) -> list[UUID]:
    """Return the lights that were preprocessed without a kind of master which this night has, and which fits them."""
    config, lacking = snapshot(), set()
    for master in CalibrationMaster.objects.filter(night=night):
        days = timedelta(days=config[_VALIDITY[MasterKind(master.kind)]])
        lights = Observation.objects.live().filter(
            night__range=(night - days, night + days),
            camera=master.camera,
            binning=master.binning,
            image_width=master.image_width,
            image_height=master.image_height,
        )
        if master.filter_band:
            lights = lights.filter(filter_band=master.filter_band)
        serving = _SERVES_FOR.get(MasterKind(master.kind), {MasterKind(master.kind)})
        for run in PreprocessRun.objects.newest_by_time(lights):
            if not serving & {entry.get("kind") for entry in run.masters}:
                lacking.add(run.observation_id)
    return sorted(lacking)
