"""What a model's scores were worth on the site's own nights, by what people had answered at one moment."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog import constraints
from catalog.models import Record
from detection.models.registry import Model


class ThresholdBy(models.TextChoices):
    """By what the threshold of detection is chosen."""

    SCORE = "score"
    FALSE_POSITIVE_RATE = "false_positive_rate", "false-positive rate"
    MISSED_RATE = "missed_rate", "missed rate"


# Rates that somebody can ask for.
RATES = (ThresholdBy.FALSE_POSITIVE_RATE, ThresholdBy.MISSED_RATE)


class Calibration(Record):
    """One calibration of a model; rows are never changed, a later one takes their place.

    The answers are about candidates that neither a veto nor a flag rejects, in frames from which some of what the model
    hides was drawn at random; each stands for as many as its probability says.
    """

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="calibrations")
    version = models.PositiveIntegerField(help_text="Counts the calibrations of a model.")
    weights_sha256 = models.CharField(max_length=64)
    real_count = models.PositiveIntegerField(help_text="Answers that call a candidate real.")
    bogus_count = models.PositiveIntegerField(help_text="Answers that call a candidate not real.")
    drawn_count = models.PositiveIntegerField(help_text="Those of them about what was drawn from below the threshold.")
    stands_for = models.FloatField(help_text="Number of candidates that the answers stand for.")
    night_count = models.PositiveIntegerField()
    first_night = models.DateField(null=True, blank=True)
    last_night = models.DateField(null=True, blank=True)
    answers_sha256 = models.CharField(max_length=64, help_text="Of answers, scores and what was asked for.")
    map_name = models.CharField(max_length=20, help_text="How scores become probabilities.")
    map_points = models.JSONField(default=list, help_text="Pairs of score and probability, joined by straight lines.")
    calibration_error = models.FloatField(null=True, blank=True, help_text="On nights that had no part in it.")
    calibration_error_raw = models.FloatField(null=True, blank=True, help_text="The same of the raw score.")
    curve = models.JSONField(
        default=list,
        help_text="By rising threshold: both rates with the ends of their intervals of 95 %; null where not known.",
    )
    asked_by = models.CharField(max_length=20, choices=ThresholdBy, default=ThresholdBy.SCORE)
    asked_rate = models.FloatField(null=True, blank=True)
    withheld_rate = models.FloatField(
        null=True, blank=True, help_text="What the asked rate comes to on nights that had no part in the threshold."
    )
    withheld_rate_low = models.FloatField(null=True, blank=True)
    withheld_rate_high = models.FloatField(null=True, blank=True)
    # What a score alone would have alerted: see curation.
    automatic_score = models.FloatField(help_text="Score from which an alert would have been automatic.")
    automatic_snr = models.FloatField(help_text="|S/N| from which an alert would have been automatic.")
    automatic_objects = models.PositiveIntegerField(help_text="Objects with answers that it would have alerted.")
    automatic_false = models.PositiveIntegerField(help_text="Those of them that people call not real.")
    automatic_nights = models.PositiveIntegerField(help_text="Nights that they were found in.")
    automatic_false_high = models.FloatField(help_text="With 95 % certainty no larger share of them is false.")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            constraints.one_of("asked_by", ThresholdBy),
            *(
                constraints.within(name, 0.0, 1.0)
                for name in (
                    "calibration_error", "calibration_error_raw", "asked_rate", "withheld_rate", "withheld_rate_low",
                    "withheld_rate_high", "automatic_score", "automatic_false_high",
                )
            ),
            constraints.not_negative("stands_for"),
            constraints.not_negative("automatic_snr"),
            models.UniqueConstraint(fields=["model", "version"], name="detection_calibration_version"),
            models.CheckConstraint(
                condition=~Q(weights_sha256=""),
                name="detection_calibration_has_weights",
                violation_error_message="A calibration names the weights that it is of.",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["model", "-created_at"], name="calibration_of_model")]

    def __str__(self) -> str:
        return f"{self.model} calibration {self.version}"
