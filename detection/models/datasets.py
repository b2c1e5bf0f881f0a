"""What networks are trained with and measured by: labelled stamps under a name and a version, which never change."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from catalog.models import Record, RecordQuerySet


class DataSetQuerySet(RecordQuerySet):
    """Questions about data sets."""

    def golden(self) -> Self:
        """Return the one that guards which models are put to use, if there is one."""
        return self.filter(is_golden=True)


class DataSet(Record):
    """Labelled stamps in a folder of the data root, written once and never changed."""

    name = models.CharField(max_length=100)
    version = models.CharField(max_length=50)
    path = models.CharField(max_length=500, help_text="The folder, relative to the data root.")
    sha256 = models.CharField(max_length=64, help_text="Of its file of examples.")
    example_count = models.PositiveIntegerField()
    real_count = models.PositiveIntegerField()
    code_version = models.CharField(max_length=64, help_text="Of the code that made it: a hash over the numerics.")
    manifest = models.JSONField(help_text="What it is made of, and how it is divided.")
    made_at = models.DateTimeField()
    is_golden = models.BooleanField(
        default=False, help_text="Models are compared on it before one is put to use; at most one data set is."
    )

    objects = DataSetQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-made_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="detection_dataset_name_version"),
            models.UniqueConstraint(
                fields=["is_golden"], condition=Q(is_golden=True), name="detection_dataset_one_golden"
            ),
            models.CheckConstraint(
                condition=Q(real_count__lte=models.F("example_count")),
                name="detection_dataset_counts",
                violation_error_message="No more are real than there are.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"
