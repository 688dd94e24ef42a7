"""Small networks in which deconvolutions make pictures: of a description, and of a picture."""

from torch import Tensor, nn

from xwidgets.errors import at_least, of_kind


def dense_generator(numbers: int, size: int = 32) -> nn.Module:
    """One fully connected layer from ``(N, numbers)`` to pixels ``(N, 3, size, size)`` in [0, 1].

    Example:
        >>> parameters(dense_generator(35))
        110592
    """
    at_least("numbers", numbers, 1)
    at_least("size", size, 1)
    return nn.Sequential(
        nn.Linear(numbers, 3 * size * size), nn.Unflatten(1, (3, size, size)), nn.Sigmoid()
    )


def deconvolution_generator(numbers: int, channels: int = 32) -> nn.Module:
    """A small map and three deconvolutions from ``(N, numbers)`` to ``(N, 3, 32, 32)`` in [0, 1].

    A fully connected layer makes a map of 4 x 4; each deconvolution has a filter of 4 x 4, stride 2
    and padding 1, and doubles the sides.

    Example:
        >>> parameters(deconvolution_generator(35))
        29083
    """
    at_least("numbers", numbers, 1)
    at_least("channels", channels, 4)
    widths = (channels, channels // 2, channels // 4)
    return nn.Sequential(
        nn.Linear(numbers, 16 * channels),
        nn.Unflatten(1, (channels, 4, 4)),
        nn.ReLU(),
        _doubling(widths[0], widths[1]),
        nn.ReLU(),
        _doubling(widths[1], widths[2]),
        nn.ReLU(),
        _doubling(widths[2], 3),
        nn.Sigmoid(),
    )


def encoder_decoder(channels: int = 12) -> nn.Module:
    """Three convolutions that halve the sides and three deconvolutions that double them again.

    From pictures ``(N, 3, H, W)``, H and W multiples of 8, to the probability ``(N, 1, H, W)`` that
    a pixel belongs to the object.

    Example:
        >>> encoder_decoder()(torch.rand(1, 3, 32, 40)).shape
        torch.Size([1, 1, 32, 40])
    """
    at_least("channels", channels, 1)
    return nn.Sequential(
        _halving(3, channels), nn.ReLU(),
        _halving(channels, 2 * channels), nn.ReLU(),
        _halving(2 * channels, 4 * channels), nn.ReLU(),
        _doubling(4 * channels, 2 * channels), nn.ReLU(),
        _doubling(2 * channels, channels), nn.ReLU(),
        _doubling(channels, 1), nn.Sigmoid(),
    )  # fmt: skip


def parameters(module: nn.Module) -> int:
    """Number of weights and biases.

    Example:
        >>> parameters(nn.Linear(3, 2))
        8
    """
    of_kind("module", module, nn.Module, "a torch.nn.Module")
    return sum(parameter.numel() for parameter in module.parameters())


def overlap(masks: Tensor, predicted: Tensor) -> Tensor:
    """Intersection over union of masks ``(N, 1, H, W)`` and what is above 0.5, ``(N,)``.

    Two empty masks overlap fully.

    Example:
        >>> overlap(torch.tensor([[[[1.0, 1, 0, 0]]]]), torch.tensor([[[[0.2, 0.9, 0.6, 0]]]]))
        tensor([0.3333])
    """
    of_kind("masks", masks, Tensor, "a tensor (N, 1, H, W)")
    of_kind("predicted", predicted, Tensor, "a tensor (N, 1, H, W)")
    if masks.shape != predicted.shape or masks.ndim < 2:
        raise ValueError(
            f"masks are {tuple(masks.shape)}, predicted {tuple(predicted.shape)}; give both as "
            "(N, 1, H, W)"
        )
    one, other = (maps.flatten(1) > 0.5 for maps in (masks, predicted))
    union = (one | other).sum(1)
    return ((one & other).sum(1) / union.clamp(min=1)).where(union > 0, 1.0)


def _halving(inputs: int, outputs: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)


def _doubling(inputs: int, outputs: int) -> nn.Module:
    return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)
