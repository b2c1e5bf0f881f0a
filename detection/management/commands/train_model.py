"""Train the real/bogus network on the residuals of simulated nights."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection.models import ModelType
from detection.numerics.networks import ARCHITECTURE
from detection.numerics.train import Trained, TrainingParameters, TrainingSet, train
from detection.numerics.training_set import TrainingSetParameters, make_training_set

# Making the examples takes twice as long as learning them (measured), so that it ends after this share of the time.
SIMULATION_SHARE = 0.65


class Command(BaseCommand):
    help = "Simulate nights, subtract them, train the real/bogus network on what is found; write weights and a card."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="Same seed, pairs and epochs: same weights.")
        parser.add_argument("--pairs", type=int, default=100, help="Pairs of frames to simulate.")
        parser.add_argument("--epochs", type=int, default=12, help="Passes through the examples.")
        parser.add_argument("--minutes", type=float, default=8.0, help="Simulate fewer pairs if it would take longer.")
        parser.add_argument("--threads", type=int, default=1, help="Threads for training.")
        parser.add_argument("--name", default="realbogus")
        parser.add_argument("--model-version", default="1")
        parser.add_argument("--out", type=Path, default=Path(), help="Folder for the weights and the card.")

    def handle(self, *args: Any, **options: Any) -> None:
        begin = time.monotonic()
        data = TrainingSetParameters(seed=options["seed"], pairs=options["pairs"])
        learning = TrainingParameters(seed=options["seed"], epochs=options["epochs"], threads=options["threads"])
        try:
            dataset, pairs = self._simulate(data, begin + 60.0 * options["minutes"] * SIMULATION_SHARE)
            simulated = time.monotonic()
            trained = train(dataset, learning, self._report)
        except ValueError as error:
            raise CommandError(f"these examples cannot be trained on: {error}") from error
        seconds = {"simulation": simulated - begin, "training": time.monotonic() - simulated}
        recipe = asdict(data) | {"pairs": pairs, "examples": len(dataset), "real": int(dataset.is_real.sum())}
        self._write(options, trained, recipe, seconds)

    def _simulate(self, data: TrainingSetParameters, deadline: float) -> tuple[TrainingSet, int]:
        """Make the examples until the deadline; return them and the pairs that they come from."""
        done = 0

        def progress(pairs: int, examples: int) -> bool:
            nonlocal done
            done = pairs
            if pairs % 10 == 0 or pairs == data.pairs:
                self.stderr.write(f"{pairs} of {data.pairs} pairs, {examples} examples")
            return time.monotonic() < deadline

        dataset = make_training_set(data, progress)
        if done < data.pairs:
            self.stderr.write(f"Out of time after {done} pairs; --pairs {done} gives the same weights again.")
        return dataset, done

    def _report(self, epoch: int, loss: float) -> None:
        self.stderr.write(f"epoch {epoch}: loss {loss:.4f}")

    def _write(
        self, options: dict[str, Any], trained: Trained, recipe: dict[str, Any], seconds: dict[str, float]
    ) -> None:
        """Write the weights and, beside them, the card that says what they are."""
        stem = f"{options['name']}-{options['model_version']}"
        card = {
            "name": options["name"],
            "version": options["model_version"],
            "model_type": ModelType.CLASSIFIER,
            "architecture": ARCHITECTURE,
            "weights": f"{stem}.safetensors",
            "sha256": hashlib.sha256(trained.weights).hexdigest(),
            "training_dataset": "{pairs} simulated pairs, seed {seed}, {examples} peaks, {real} real".format(**recipe),
            "hyperparameters": trained.hyperparameters | {"training_set": recipe},
            "metrics": trained.metrics,
            "share_called_real_by_kind": trained.recall_by_kind,
            "seconds": {name: round(value, 1) for name, value in seconds.items()},
        }
        folder: Path = options["out"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{stem}.safetensors").write_bytes(trained.weights)
        (folder / f"{stem}.json").write_text(json.dumps(card, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        for name, value in trained.metrics.items():
            self.stdout.write(f"{name:32} {value:.4f}")
        self.stdout.write(f"{folder / stem}.safetensors, sha256 {card['sha256']}")
