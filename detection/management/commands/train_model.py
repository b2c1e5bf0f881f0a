"""Train the real/bogus network on a data set, or on the residuals of simulated nights."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from catalog.people import audit
from detection.registry.ordering import Asked, OrderRefused, order_training
from detection.stage.datasets.stored import DataSetRefused
from detection.stage.training import Order, train_model


class _Given(TypedDict):
    seed: int
    pairs: int
    epochs: int
    threads: int
    name: str
    model_version: str
    dataset: str
    queue: bool
    out: Path | None


class Command(BaseCommand):
    help = (
        "Train the real/bogus network on a data set, or on what is found in newly simulated nights; write weights and "
        "a model card. What was cut off goes on after its last epoch."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dataset",
            default="",
            metavar="NAME:VERSION",
            help="Data set to train on; without one nights are simulated.",
        )
        parser.add_argument("--seed", type=int, default=1, help="Same seed, pairs and epochs: same weights.")
        parser.add_argument("--pairs", type=int, default=Order.pairs, help="Pairs of frames to simulate.")
        parser.add_argument("--epochs", type=int, default=Order.epochs, help="Passes through the examples.")
        parser.add_argument("--threads", type=int, default=1, help="Threads for training.")
        parser.add_argument("--name", default="realbogus")
        parser.add_argument(
            "--model-version", default=f"{timezone.now():%Y%m%d-%H%M}", help="The time by default: none is given twice."
        )
        parser.add_argument(
            "--queue", action="store_true", help="Let the training worker do it, and register the model."
        )
        parser.add_argument(
            "--out", type=Path, help="Folder for weights and card; by default training/ in the data root."
        )

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        if options["queue"]:
            asked = Asked(options["name"], options["model_version"], options["dataset"])
            try:
                job = order_training(asked, audit.MACHINE)
            except OrderRefused as refusal:
                raise CommandError(str(refusal)) from refusal
            self.stdout.write(f"Queued as job {job.pk}. The model will be registered but not activated.")
            return
        order = Order(
            folder=options["out"] or settings.ASTRID_DATA_ROOT / "training",
            name=options["name"],
            data_set=options["dataset"],
            version=options["model_version"],
            seed=options["seed"],
            pairs=options["pairs"],
            epochs=options["epochs"],
            threads=options["threads"],
        )
        try:
            written = train_model(order, self.stderr.write)
        except DataSetRefused as refusal:
            raise CommandError(f"{refusal}.") from refusal
        except ValueError as error:
            raise CommandError(f"these examples cannot be trained on: {error}") from error
        for name, value in written.metrics.items():
            self.stdout.write(f"{name:32} {'undefined' if value is None else format(value, '.4f')}")
        self.stdout.write(f"{written.card}: weights {written.weights.name}, sha256 {written.sha256}")
