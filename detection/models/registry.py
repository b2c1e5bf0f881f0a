"""Networks that are registered, and their runs."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog import constraints
from catalog.models import Record, Run
from detection.models.datasets import DataSet
from observations.models import Observation


class ModelType(models.TextChoices):
    """Kinds of models; at most one of each is active."""

    UNET = "unet"
    ANOMALY_DETECTOR = "anomaly_detector"
    CLASSIFIER = "classifier"
    SEGMENTATION = "segmentation"


class Model(Record):
    """A registered model: its weights are a copy under the data root and never change."""

    name = models.CharField(max_length=100)
    version = models.CharField(max_length=50)
    model_type = models.CharField(max_length=20, choices=ModelType)
    architecture = models.CharField(max_length=100, blank=True)
    hyperparameters = models.JSONField(default=dict, blank=True)
    training_dataset = models.CharField(max_length=500, blank=True)
    data_set = models.ForeignKey(
        DataSet, on_delete=models.PROTECT, null=True, blank=True, related_name="models", help_text="It learned from it."
    )
    training_metrics = models.JSONField(default=dict, blank=True)
    report = models.JSONField(
        default=dict, blank=True, help_text="How good it is by kind, camera and S/N, and what that says nothing about."
    )
    precision = models.FloatField(null=True, blank=True)
    recall = models.FloatField(null=True, blank=True)
    f1_score = models.FloatField(null=True, blank=True)
    accuracy = models.FloatField(null=True, blank=True)
    is_active = models.BooleanField(default=False, help_text="At most one active model of each type.")
    is_shadow = models.BooleanField(
        default=False, help_text="Scores beside the active one, and decides nothing; at most one of each type."
    )
    deployment_date = models.DateTimeField(null=True, blank=True)
    model_path = models.CharField(max_length=500, blank=True, help_text="Relative to the data root.")
    mlflow_run_id = models.CharField(max_length=64, blank=True)
    weights_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["name", "-created_at"]
        constraints = [
            constraints.one_of("model_type", ModelType),
            constraints.within("precision", 0.0, 1.0),
            constraints.within("recall", 0.0, 1.0),
            constraints.within("f1_score", 0.0, 1.0),
            constraints.within("accuracy", 0.0, 1.0),
            models.UniqueConstraint(fields=["name", "version"], name="detection_model_name_version"),
            models.UniqueConstraint(
                fields=["model_type"], condition=Q(is_active=True), name="detection_model_one_active_per_type"
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | (~Q(model_path="") & ~Q(weights_sha256="")),
                name="detection_model_active_has_weights",
                violation_error_message="An active model has weights and their sha256.",
            ),
            models.UniqueConstraint(
                fields=["model_type"], condition=Q(is_shadow=True), name="detection_model_one_shadow_per_type"
            ),
            models.CheckConstraint(
                condition=Q(is_shadow=False) | (Q(is_active=False) & ~Q(model_path="") & ~Q(weights_sha256="")),
                name="detection_model_shadow_is_not_active",
                violation_error_message="A shadow has weights and is not the active model.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class ModelRun(Run):
    """One inference of one model over one observation's images."""

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="runs")
    observation = models.ForeignKey(Observation, on_delete=models.PROTECT, related_name="model_runs")
    input_image_path = models.CharField(max_length=500, blank=True, help_text="Relative to the data root.")
    output_mask_path = models.CharField(max_length=500, blank=True, help_text="Relative to the data root.")
    confidence_map_path = models.CharField(max_length=500, blank=True, help_text="Relative to the data root.")
    inference_time_ms = models.FloatField(null=True, blank=True)
    memory_usage_mb = models.FloatField(null=True, blank=True)
    total_predictions = models.PositiveIntegerField(null=True, blank=True, help_text="Null until it is known.")
    high_confidence_predictions = models.PositiveIntegerField(null=True, blank=True)
    is_shadow = models.BooleanField(default=False, help_text="It scored beside the active model, and decided nothing.")
    threshold = models.FloatField(null=True, blank=True, help_text="Score from which it made detections; null: none.")
    calibration = models.ForeignKey(
        "Calibration", on_delete=models.PROTECT, null=True, blank=True, related_name="runs",
        help_text="The one that gave the threshold; null where it was set.",
    )  # fmt: skip
    hidden_draw = models.JSONField(
        null=True,
        blank=True,
        help_text="How some of what it hides was drawn for review: seed, share and strata; null until it was.",
    )

    way_to_survey = "observation__survey"

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            *Run.Meta.constraints,
            constraints.not_negative("inference_time_ms"),
            constraints.not_negative("memory_usage_mb"),
            constraints.within("threshold", 0.0, 1.0),
            models.UniqueConstraint(
                fields=["model", "observation", "input_image_path"], name="detection_modelrun_once"
            ),
        ]
        indexes = [
            models.Index(fields=["status", "created_at"], name="modelrun_queue"),
            models.Index(fields=["observation", "-created_at"], name="modelrun_latest"),
            models.Index(fields=["model", "-created_at"], name="modelrun_of_model"),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} on {self.observation_id}"

    @property
    def time_of_each_ms(self) -> float | None:
        """What scoring one candidate took of the run; None where that is not known."""
        if self.inference_time_ms is None or not self.total_predictions:
            return None
        return self.inference_time_ms / self.total_predictions
