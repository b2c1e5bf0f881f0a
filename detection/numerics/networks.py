"""The real/bogus network: small enough for a thousand stamps a second on one core."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from detection.numerics.stamps import CHANNELS

ARCHITECTURE = "realbogus-cnn-1"


class RealBogusNetwork(nn.Module):
    """Four images in, one logit out; positive means real. 46 k parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_block(len(CHANNELS), 16),  # (n, 4, 31, 31) -> (n, 16, 31, 31)
            *_block(16, 16),
            nn.MaxPool2d(2),  # (n, 16, 15, 15)
            *_block(16, 32),
            *_block(32, 32),  # (n, 32, 15, 15)
            nn.MaxPool2d(2),  # (n, 32, 7, 7)
            *_block(32, 32, padding=0),  # (n, 32, 5, 5)
            nn.Flatten(),  # (n, 800): the position within the stamp matters, the candidate is in its middle
            nn.Dropout(0.3),
            nn.Linear(800, 24),
            nn.ReLU(),
            nn.Linear(24, 1),  # (n, 1)
        )

    def forward(self, stamps: Tensor) -> Tensor:
        return self.layers(stamps).squeeze(1)  # (n,)


def _block(channels_in: int, channels_out: int, padding: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels_out, 3, padding=padding, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    ]


def parameter_count(network: nn.Module) -> int:
    """Count what is learned, which is what the weights file holds apart from the running statistics."""
    return sum(parameter.numel() for parameter in network.parameters())


def in_channels_last(network: RealBogusNetwork) -> RealBogusNetwork:
    """Lay the weights out as `as_tensor_image` lays out the stamps; measured 1.3 times (scoring) and 2 times
    (training) faster than the default on one core."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def as_tensor_image(stamps: object) -> Tensor:
    """Wrap an array (n, channels, y, x) in the layout that convolutions run fastest in on a CPU."""
    return torch.as_tensor(stamps).contiguous(memory_format=torch.channels_last)
