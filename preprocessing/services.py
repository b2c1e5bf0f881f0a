"""Preprocessed frames as later apps want them: which run of a frame counts, and which frames lack a master."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from uuid import UUID

from catalog.configuration.values import snapshot
from catalog.models import RunStatus
from observations.models import Observation, ObservationStatus
from preprocessing.models import CalibrationMaster, MasterKind, PreprocessRun


def latest_runs(observations: Iterable[Observation]) -> list[PreprocessRun]:
    """Return the newest completed run of each observation that has one, in order of time of observation."""
    runs = PreprocessRun.objects.filter(observation__in=observations, status=RunStatus.COMPLETED)
    newest = runs.order_by("observation_id", "-completed_at", "-id").distinct("observation_id")
    return sorted(newest.select_related("observation"), key=lambda run: (run.observation.mjd_utc, run.observation_id))


def latest_run(observation: Observation) -> PreprocessRun | None:
    """Return the newest completed run of one observation."""
    runs = PreprocessRun.objects.filter(observation=observation, status=RunStatus.COMPLETED)
    return runs.order_by("-completed_at", "-id").first()


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
        lights = Observation.objects.exclude(status=ObservationStatus.ARCHIVED).filter(
            night__range=(night - days, night + days),
            camera=master.camera,
            binning=master.binning,
            image_width=master.image_width,
            image_height=master.image_height,
        )
        if master.filter_band:
            lights = lights.filter(filter_band=master.filter_band)
        serving = _SERVES_FOR.get(MasterKind(master.kind), {MasterKind(master.kind)})
        for run in latest_runs(lights):
            if not serving & {entry.get("kind") for entry in run.masters}:
                lacking.add(run.observation_id)
    return sorted(lacking)
