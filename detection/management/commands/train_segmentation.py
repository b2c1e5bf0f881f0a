"""Train the network that draws trails and artefacts, on simulated differences."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from detection.stage.train_trails import Order, train_trails


class _Given(TypedDict):
    seed: int
    pairs: int
    epochs: int
    scenes: int
    threads: int
    name: str
    model_version: str
    out: Path | None


class Command(BaseCommand):
    help = (
        "Simulate pairs, subtract them, and train the U-Net on trails and artefacts that are drawn onto the "
        "differences; write weights and a model card."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="Same seed, pairs, epochs and scenes: same weights.")
        parser.add_argument("--pairs", type=int, default=Order.pairs, help="Pairs of frames to simulate.")
        parser.add_argument("--epochs", type=int, default=Order.epochs)
        parser.add_argument("--scenes", type=int, default=Order.scenes, help="Drawn in each epoch, each anew.")
        parser.add_argument("--threads", type=int, default=1, help="Threads for training.")
        parser.add_argument("--name", default="trails")
        parser.add_argument(
            "--model-version", default=f"{timezone.now():%Y%m%d-%H%M}", help="The time by default: none is given twice."
        )
        parser.add_argument(
            "--out", type=Path, help="Folder for weights and card; by default training/ in the data root."
        )

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        order = Order(
            folder=options["out"] or settings.ASTRID_DATA_ROOT / "training",
            name=options["name"],
            version=options["model_version"],
            pairs=options["pairs"],
            seed=options["seed"],
            epochs=options["epochs"],
            scenes=options["scenes"],
            threads=options["threads"],
        )
        try:
            written = train_trails(order, self.stderr.write)
        except ValueError as error:
            raise CommandError(f"the network cannot be trained: {error}") from error
        for name, value in written.metrics.items():
            self.stdout.write(f"{name:32} {'undefined' if value is None else format(value, '.4f')}")
        self.stdout.write(f"{written.card}: weights {written.weights.name}, sha256 {written.sha256}")
