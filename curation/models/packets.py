"""What was handed out of publications as files of their own."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from catalog import constraints
from catalog.models import Record
from curation.models.alerts import AlertPublication, ToldQuerySet


class AlertPacket(Record):
    """The file of one publication, written once; rows are only ever added (triggers refuse the rest)."""

    publication = models.OneToOneField(AlertPublication, on_delete=models.PROTECT, related_name="packet")
    night = models.DateField(help_text="On which the detection that it tells of was observed; the archives go by it.")
    schema_version = models.CharField(max_length=8, help_text="Of its Avro schema, as 1.0.")
    file_path = models.CharField(max_length=500, unique=True, help_text="Relative to the data root.")
    size_bytes = models.PositiveIntegerField()
    header_bytes = models.PositiveIntegerField(help_text="What stands in the file before its one block.")
    sha256 = models.CharField(max_length=64, help_text="Of the file: other packets are never handed out for it.")
    ivorn = models.CharField(max_length=255, help_text="Its name as a VOEvent, by which later ones cite it.")

    way_to_alert = "publication__alert__"

    objects = ToldQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["id"]
        constraints = [
            constraints.at_least("header_bytes", 1),
            models.CheckConstraint(
                condition=Q(size_bytes__gt=F("header_bytes")),
                name="curation_alertpacket_holds_a_block",
                violation_error_message="A packet holds more than its header.",
            ),
        ]
        indexes = [models.Index(fields=["night", "schema_version"], name="alertpacket_of_night")]

    def __str__(self) -> str:
        return f"packet of {self.night}"
