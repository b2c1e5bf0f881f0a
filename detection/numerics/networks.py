"""Networks that tell real from bogus: small enough for thousands of stamps a second on one core."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from detection.numerics.nearest import FEATURES
from detection.numerics.stamps import CHANNELS

# Weights say which network they are of; those of former versions are scored with as before.
ONE_VIEW, TWO_VIEWS = "realbogus-cnn-1", "realbogus-cnn-2"


# What something real may be by its stamp alone; what is not real is an artefact.
TYPES = ("supernova", "variable", "transient")
MEMBERS = 3


class OneView(nn.Module):
    """The near view alone: four images in, one logit out; positive means real. 46 k parameters."""

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
        return self.layers(stamps[:, : len(CHANNELS)])  # (n, 1)


class TwoViews(nn.Module):
    """Two views of four images in; 93 k parameters.

    Three small networks that learn side by side and are averaged: what one of them makes of another telescope's stamps
    is much its luck, and their mean is better there than one of three times the size. Out come a logit, positive means
    real, one for each of `TYPES`, and the features that these are made of, by which stamps are alike.
    """

    def __init__(self) -> None:
        super().__init__()
        self.members = nn.ModuleList([_Member() for _ in range(MEMBERS)])

    def each(self, stamps: Tensor) -> tuple[Tensor, Tensor]:
        """Return what every member says, (n, 3, 4), and its features, (n, 3, 16)."""
        near, wide = (view.contiguous(memory_format=torch.channels_last) for view in stamps.chunk(2, dim=1))
        said, features = zip(*(member(near, wide) for member in self.members), strict=True)
        return torch.stack(said, dim=1), torch.stack(features, dim=1)

    def forward(self, stamps: Tensor) -> Tensor:
        said, features = self.each(stamps)
        return torch.cat([said.mean(dim=1), features.flatten(1)], dim=1)  # (n, 4 + 48)


class _Member(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        # In eights, as processors multiply.
        self.near = _tower(8, 24, 16)  # (n, 4, 31, 31) -> (n, 400)
        self.wide = _tower(8, 16, 16)  # (n, 400); its middle is seen near already
        self.features = nn.Sequential(nn.Dropout(0.3), nn.Linear(800, FEATURES // MEMBERS), nn.ReLU())
        self.logits = nn.Linear(FEATURES // MEMBERS, 1 + len(TYPES))

    def forward(self, near: Tensor, wide: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(torch.cat([self.near(near), self.wide(wide)], dim=1))
        return self.logits(features), features


Network = OneView | TwoViews
NETWORKS: dict[str, type[Network]] = {ONE_VIEW: OneView, TWO_VIEWS: TwoViews}


def _tower(first: int, second: int, last: int) -> nn.Sequential:
    """Return layers that keep to the end where in the stamp something lies: the candidate is in its middle.

    Steps of two pixels in place of the largest of four were tried for speed, and cost all that a second view gains on
    stamps of other surveys.
    """
    return nn.Sequential(
        *_block(len(CHANNELS), first),  # (n, first, 31, 31)
        *_block(first, first, is_pooled=True),  # (n, first, 15, 15)
        *_block(first, second),
        *_block(second, second, is_pooled=True),  # (n, second, 7, 7)
        *_block(second, last, padding=0),  # (n, last, 5, 5)
        nn.Flatten(),
    )


class _LargestOfFour(nn.MaxPool2d):
    """The largest of each two by two pixels; what is odd at the end is left out.

    Scored with as two maxima of slices: four times as fast as torch's own, which takes the few channels one by one.
    """

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            return super().forward(images)
        rows, columns = (size // 2 * 2 for size in images.shape[2:])
        larger = torch.maximum(images[:, :, 0:rows:2, :columns], images[:, :, 1:rows:2, :columns])
        return torch.maximum(larger[..., 0::2], larger[..., 1::2])


def _block(channels_in: int, channels_out: int, padding: int = 1, *, is_pooled: bool = False) -> list[nn.Module]:
    convolution = nn.Conv2d(channels_in, channels_out, 3, padding=padding, bias=False)
    # The largest of four first, and then what is above zero: the same, with a quarter of the work.
    pool = [_LargestOfFour()] if is_pooled else []
    return [convolution, nn.BatchNorm2d(channels_out), *pool, nn.ReLU(inplace=True)]


def parameter_count(network: nn.Module) -> int:
    """Count what is learned, which is what the weights file holds apart from the running statistics."""
    return sum(parameter.numel() for parameter in network.parameters())


def in_channels_last(network: Network) -> Network:
    """Lay the weights out as `as_tensor_image` lays out the stamps; measured 1.3 times (scoring) and 2 times
    (training) faster than the default on one core."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def as_tensor_image(stamps: object) -> Tensor:
    """Wrap an array (n, channels, y, x) in the layout that convolutions run fastest in on a CPU."""
    return torch.as_tensor(stamps).contiguous(memory_format=torch.channels_last)


def fused(network: Network) -> Network:
    """Return the network for scoring alone, with each normalisation within the convolution before it."""
    for part in network.modules():
        if isinstance(part, nn.Sequential):
            for place, (first, second) in enumerate(zip(list(part), list(part)[1:], strict=False)):
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    part[place], part[place + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return network
