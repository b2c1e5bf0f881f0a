"""The labels a fresh installation offers; an administrator may change them."""

from django.db import migrations

# label, title, detection_type, is_valid, description. The first nine stand on the keys 1 to 9.
LABELS = (
    ("supernova_candidate", "Supernova candidate", "supernova", True, "New point source on or near a galaxy."),
    ("variable_star", "Variable star", "variable", True, "A star in both images that changed its brightness."),
    ("asteroid", "Asteroid", "transient", True, "Moves between frames of one night; a point or a short trail."),
    ("comet", "Comet", "transient", True, "Moves, and is wider than the stars or has a tail."),
    ("agn", "Active nucleus", "variable", True, "Change in a galaxy's nucleus that flickers over months."),
    ("nuclear_transient", "Nuclear transient", "transient", True, "New light in the nucleus of a quiet galaxy."),
    ("satellite", "Satellite or aircraft", "artifact", False, "Trail or glint of something in orbit or below."),
    ("cosmic_ray", "Cosmic ray", "artifact", False, "Sharper than any star, in this frame alone."),
    ("subtraction_artefact", "Subtraction artefact", "artifact", False, "Dipole, ring or residue of a star."),
    ("reference_only", "Real, in the reference only", "artifact", False, "The reference's own moving or faded source."),
    ("cataclysmic", "Nova or cataclysmic variable", "transient", True, "Outburst of a star, often absent before."),
    ("stellar_flare", "Stellar flare", "variable", True, "A red star brighter for minutes to hours."),
    ("bright_star_artefact", "Bright star", "artifact", False, "Spike, halo, bleed or reflection of a bright star."),
    ("bad_pixels", "Detector defect", "artifact", False, "Hot pixel, bad column or the edge of the detector."),
    ("unknown_real", "Real, kind unknown", "unknown", True, "Something in the sky, of a kind not listed."),
)


def add_labels(apps, schema_editor):
    definition = apps.get_model("curation", "LabelDefinition")
    for position, (label, title, detection_type, is_valid, description) in enumerate(LABELS, start=1):
        definition.objects.get_or_create(
            label=label,
            defaults={
                "title": title,
                "detection_type": detection_type,
                "is_valid": is_valid,
                "description": description,
                "position": position,
            },
        )


def remove_labels(apps, schema_editor):
    apps.get_model("curation", "LabelDefinition").objects.filter(label__in=[row[0] for row in LABELS]).delete()


class Migration(migrations.Migration):
    dependencies = [("curation", "0002_append_only")]

    operations = [migrations.RunPython(add_labels, remove_labels)]
