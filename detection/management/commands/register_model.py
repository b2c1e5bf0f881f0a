"""Enter a trained model in the registry."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection.registry.weights import ModelRefused, read_card, register


class _Given(TypedDict):
    card: Path
    activate: bool


class Command(BaseCommand):
    help = "Copy a model's weights into the data root and add it to the registry."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("card", type=Path, help="The JSON file that train_model wrote, with the weights beside it.")
        parser.add_argument("--activate", action="store_true", help="Score new candidates with this model from now on.")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        try:
            model = register(read_card(options["card"]), activate=options["activate"])
        except ModelRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        state = "active" if model.is_active else "registered"
        self.stdout.write(f"{model} is {state}: {model.model_path}, sha256 {model.weights_sha256}")
