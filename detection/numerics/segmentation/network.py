"""The network that draws trails and artefacts: a small U-Net, whose bottom sees the length of a trail."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from detection.numerics.networks import fused

ARCHITECTURE = "trails-unet-1"
# What comes in and what goes out, in this order.
INPUTS = ("difference", "mask")
CLASSES = ("trail", "artefact")
# The map is of half the resolution of the image; the image's sides are multiples of the bottom's step.
STEP_OUT, STEP_BOTTOM = 2, 32
_WIDTHS = (12, 20, 32, 44, 56)
# A faint trail is seen only along its length: with these steps the bottom sees 350 px.
_DILATIONS = (1, 2)


class TrailsUnet(nn.Module):
    """Two images in, two maps of logits of half the resolution out; positive means trail, artefact. 0.21 M parameters.

    (n, 2, ny, nx) with sides that are multiples of 32 -> (n, 2, ny / 2, nx / 2).
    """

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d, e = _WIDTHS
        self.top = nn.Sequential(*_block(len(INPUTS) * STEP_OUT**2, a), *_block(a, a))  # 1/2
        self.down = nn.ModuleList(
            nn.Sequential(*_block(narrow, wide, stride=2), *_block(wide, wide))
            for narrow, wide in ((a, b), (b, c), (c, d))
        )  # 1/4, 1/8, 1/16
        self.bottom = nn.ModuleList(
            [nn.Sequential(*_block(d, e, stride=2)), *(nn.Sequential(*_block(e, e, dilation=n)) for n in _DILATIONS)]
        )  # 1/32
        self.up = nn.ModuleList(
            nn.Sequential(*_block(wide + narrow, narrow)) for wide, narrow in ((e, d), (d, c), (c, b), (b, a))
        )
        self.out = nn.Conv2d(a, len(CLASSES), 1)
        # Few pixels are either: to learn that first takes a hundred steps.
        self.out.bias = nn.Parameter(torch.full((len(CLASSES),), -3.0))

    def forward(self, images: Tensor) -> Tensor:
        x = self.top(functional.pixel_unshuffle(images, STEP_OUT))
        levels = [x]
        for step in self.down:
            x = step(x)
            levels.append(x)
        first, *rest = self.bottom
        x = first(x)
        for step in rest:
            x = x + step(x)
        for step, level in zip(self.up, reversed(levels), strict=True):
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = step(torch.cat([x, level], dim=1))
        return self.out(x)


def _block(channels_in: int, channels_out: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels_out, 3, stride, dilation, dilation, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    ]


def ready(network: TrailsUnet) -> TrailsUnet:
    """Return the network for use alone: each normalisation within the convolution before it, channels last."""
    return fused(network.eval()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
