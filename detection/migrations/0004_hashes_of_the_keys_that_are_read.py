"""Hashes of the whole configuration become hashes of the keys that detection reads.

Runs whose hash is that of the configuration as it stands now counted as done, and count as done after this.
"""

import hashlib
import json

from django.db import migrations

# Every key that was declared when the hash covered all of them, with its default then.
FORMER_DEFAULTS = {
    "ingest.max_unpacked_mb": 1024,
    "ingest.max_axis_px": 32768,
    "ingest.max_file_mb": 4096,
    "ingest.settle_seconds": 5,
    "ingest.field_overlap_share": 0.5,
    "preprocessing.bias_validity_days": 30,
    "preprocessing.dark_validity_days": 30,
    "preprocessing.flat_validity_days": 14,
    "preprocessing.sky_flat_validity_days": 1,
    "preprocessing.dark_temperature_tolerance_c": 2.0,
    "preprocessing.sky_flat_min_frames": 3,
    "preprocessing.master_max_frames": 64,
    "preprocessing.clip_cosmic_rays": True,
    "preprocessing.cosmic_ray_sigma": 6.0,
    "preprocessing.vignette_falloff": 0.4,
    "preprocessing.background_mesh_px": 64,
    "preprocessing.star_threshold_sigma": 5.0,
    "preprocessing.min_stars": 10,
    "preprocessing.max_masked_share": 0.15,
    "preprocessing.max_sky_share_of_saturation": 0.6,
    "preprocessing.max_sky_ratio": 3.0,
    "preprocessing.max_depth_loss_mag": 2.5,
    "preprocessing.min_transparency": 0.05,
    "preprocessing.max_ellipticity": 0.5,
    "preprocessing.max_anchor_rms_px": 1.0,
    "differencing.threshold_sigma": 5.0,
    "differencing.max_candidates": 2000,
    "differencing.tile_px": 256,
    "differencing.tile_overlap_px": 32,
    "differencing.model_error": 0.005,
    "differencing.noise_rescale_tolerance": 0.1,
    "differencing.min_matched_stars": 6,
    "differencing.max_registration_rms_px": 1.0,
    "differencing.min_overlap_share": 0.1,
    "differencing.reference_min_gap_minutes": 15.0,
    "differencing.reference_exclude_days": 0,
    "differencing.reference_min_stack": 3,
    "differencing.reference_max_stack": 25,
    "differencing.stack_rejection_sigma": 4.0,
    "differencing.tracklet_min_members": 3,
    "differencing.tracklet_max_rms_arcsec": 1.0,
    "differencing.tracklet_max_rate_arcsec_per_min": 10.0,
    "detection.confidence_threshold": 0.5,
    "detection.association_floor_arcsec": 1.0,
    "detection.association_sigma": 3.0,
    "curation.lease_minutes": 15,
    "curation.blind": False,
    "alerts.automatic": True,
    "alerts.automatic_threshold": 0.99,
    "alerts.automatic_min_snr": 10.0,
    "alerts.min_human_confidence": "medium",
    "alerts.update_mag": 0.3,
    "alerts.high_snr": 30.0,
    "alerts.critical_mag": 12.0,
}
READ = ("detection.association_floor_arcsec", "detection.association_sigma", "detection.confidence_threshold")


def _hash(values):
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _hashes(apps):
    """Return the hash over all keys and that over those which detection reads, of the configuration as it stands."""
    values = dict(FORMER_DEFAULTS)
    stored = apps.get_model("catalog", "SystemConfig").objects.filter(is_active=True, key__in=values)
    for key, value in stored.values_list("key", "value"):
        # A whole number stored for a real one counted as the real one.
        values[key] = float(value) if isinstance(values[key], float) else value
    return _hash(values), _hash({key: values[key] for key in READ})


def _replace(apps, old, new):
    apps.get_model("detection", "ModelRun").objects.filter(config_hash=old).update(config_hash=new)


def to_keys_read(apps, schema_editor):
    whole, read = _hashes(apps)
    _replace(apps, whole, read)


def to_whole(apps, schema_editor):
    whole, read = _hashes(apps)
    _replace(apps, read, whole)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0006_jobs_by_key"), ("detection", "0003_runs_of_a_model")]

    operations = [migrations.RunPython(to_keys_read, to_whole)]
