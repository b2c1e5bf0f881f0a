"""References know their epochs, their PSF and what they are made from; differences say what is in doubt."""

import django.db.models.deletion
from django.db import migrations, models


def describe(apps, schema_editor):
    """Count the members and epochs of what is there; what was made for one night serves no other."""
    reference = apps.get_model("differencing", "Reference")
    reference.objects.filter(is_active=True, excluded_night__isnull=False).update(is_active=False)
    for row in reference.objects.all():
        times = sorted(row.members.values_list("mjd_utc", flat=True))
        if times:
            row.frame_count, row.first_mjd_utc, row.last_mjd_utc = len(times), times[0], times[-1]
            row.save(update_fields=["frame_count", "first_mjd_utc", "last_mjd_utc"])


class Migration(migrations.Migration):
    dependencies = [
        ("differencing", "0003_plain_words"),
        ("observations", "0006_plain_words"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="differencerun",
            name="differencing_differencerun_completed_has_reference",
        ),
        migrations.RemoveConstraint(
            model_name="reference",
            name="differencing_reference_one_active",
        ),
        migrations.AddField(
            model_name="differencerun",
            name="doubts",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="What may be wrong with it: code, fact, value and a sentence for each.",
            ),
        ),
        migrations.AddField(
            model_name="reference",
            name="deeper_by_mag",
            field=models.FloatField(
                blank=True,
                help_text="What a new reference of the frames that are there now is predicted to gain.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="reference",
            name="delivered_band",
            field=models.CharField(blank=True, help_text="Filter of an image that was given.", max_length=32),
        ),
        migrations.AddField(
            model_name="reference",
            name="first_mjd_utc",
            field=models.FloatField(blank=True, help_text="Middle of its earliest exposure.", null=True),
        ),
        migrations.AddField(
            model_name="reference",
            name="frame_count",
            field=models.PositiveIntegerField(default=1, help_text="Frames that entered it."),
        ),
        migrations.AddField(
            model_name="reference",
            name="fwhm_px",
            field=models.FloatField(blank=True, help_text="Of its own PSF, pixels of its own grid.", null=True),
        ),
        migrations.AddField(
            model_name="reference",
            name="is_automatic",
            field=models.BooleanField(
                default=False, help_text="Promoted by itself, as the first of its field and band."
            ),
        ),
        migrations.AddField(
            model_name="reference",
            name="last_mjd_utc",
            field=models.FloatField(blank=True, help_text="Middle of its latest exposure.", null=True),
        ),
        migrations.AddField(
            model_name="reference",
            name="origin",
            field=models.CharField(
                choices=[("frames", "frames of its field"), ("given", "an image that was given")],
                default="frames",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="reference",
            name="original_name",
            field=models.CharField(blank=True, help_text="File name of an image that was given.", max_length=255),
        ),
        migrations.AddField(
            model_name="reference",
            name="survey_name",
            field=models.CharField(blank=True, help_text="Who made an image that was given.", max_length=100),
        ),
        migrations.AlterField(
            model_name="differencerun",
            name="reference_observation",
            field=models.ForeignKey(
                blank=True,
                help_text="For a stack, its best member; null while waiting, and against an image that was given.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="difference_runs_as_reference",
                to="observations.observation",
            ),
        ),
        migrations.AlterField(
            model_name="reference",
            name="best_member",
            field=models.ForeignKey(
                blank=True,
                help_text="It sets grid and counts; null for an image that was given.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="best_of_references",
                to="observations.observation",
            ),
        ),
        migrations.AlterField(
            model_name="reference",
            name="is_active",
            field=models.BooleanField(default=False, help_text="Promoted: the rules of choice do not apply."),
        ),
        migrations.RunPython(describe, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="differencerun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "completed"), _negated=True),
                    models.Q(
                        models.Q(
                            ("reference_observation__isnull", False), ("reference__isnull", False), _connector="OR"
                        ),
                        ("candidates_found__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="differencing_differencerun_completed_has_reference",
                violation_error_message="A completed run names its reference and its number of candidates.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(("deeper_by_mag__gt", float("-inf")), ("deeper_by_mag__lt", float("inf"))),
                name="differencing_reference_deeper_by_mag_finite",
                violation_error_message="deeper_by_mag must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(("first_mjd_utc__gt", float("-inf")), ("first_mjd_utc__lt", float("inf"))),
                name="differencing_reference_first_mjd_utc_finite",
                violation_error_message="first_mjd_utc must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(("last_mjd_utc__gt", float("-inf")), ("last_mjd_utc__lt", float("inf"))),
                name="differencing_reference_last_mjd_utc_finite",
                violation_error_message="last_mjd_utc must be a finite number.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(("fwhm_px__gt", 0.0), ("fwhm_px__lt", float("inf"))),
                name="differencing_reference_fwhm_px_positive",
                violation_error_message="fwhm_px must be a number above 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(("origin__in", ["frames", "given"])),
                name="differencing_reference_origin_known",
                violation_error_message="origin must be one of frames, given.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(("best_member__isnull", False), ("origin", "given"), _connector="OR"),
                name="differencing_reference_has_a_frame",
                violation_error_message="A reference made of frames has a best one.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_active", False), ("excluded_night__isnull", True), _connector="OR"),
                name="differencing_reference_of_one_night_inactive",
                violation_error_message="A reference that was made for one night serves no other.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reference",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)),
                fields=("field", "filter_band"),
                name="differencing_reference_one_active",
            ),
        ),
    ]
