"""Outputs for one image with windows replaced, by a whole forward for each."""

from collections.abc import Callable

from torch import Tensor
from torch.nn.modules.utils import _pair

from xwidgets.errors import WrongType, at_least, number, shown
from xwidgets.networks import Network
from xwidgets.networks._network import image_for

from .budget import Batches, Budget

Read = Callable[[Tensor], Tensor]
"""Runs pixels ``(N, C, H, W)`` and reads ``(N, K)`` off the network, in evaluation mode."""


class WholeInference:
    """Values read off ``image`` with windows of other content, at the full price, without set-up.

    Args:
        net: the classifier.
        image: ``(C, H, W)`` in [0, 1].
        window: the side of the windows in pixels, or their height and width.
        memory: bytes that may be added; 0 for one window at a time, ``None`` for a share of what is
            free.
        read: what is read; ``None`` for the logits.
        held: those of ``memory`` that the caller uses for other things.

    Attributes:
        net, image, read: as given, the image on the network's device.
        window: height and width.
        budget: the bytes that are left, as a :class:`Budget`.
        batches: run the windows.

    Raises:
        ValueError: for invalid arguments, or when not even one window fits into ``memory``.

    Example:
        >>> import xwidgets as xw
        >>> net, scene = xw.network("birds"), xw.scenes.bird(seed=3)
        >>> inference = WholeInference(net, scene.image, window=10)
        >>> inference.outputs(torch.tensor([[20, 30]]), torch.full((1, 3, 10, 10), 0.5)).shape
        torch.Size([1, 20])
    """

    def __init__(
        self,
        net: Network,
        image: Tensor,
        window: int | tuple[int, int],
        memory: float | None = None,
        read: Read | None = None,
        held: float = 0,
    ) -> None:
        self.net, image = net, image_for(net, image)
        sides = window if isinstance(window, tuple) and len(window) == 2 else (window, window)
        for side, most in zip(sides, image.shape[1:], strict=True):
            at_least("window", side, 1)
            if side > most:
                raise ValueError(
                    f"window is {shown(window)}, but the image has {tuple(image.shape[1:])} "
                    "pixels; give a smaller one"
                )
        if read is not None and not callable(read):
            raise WrongType(f"read is {shown(read)}, but must be a function of pixels, or None")
        self.window: tuple[int, int] = _pair(window)
        number("held", held, lambda size: size >= 0, "of bytes, at least 0")
        self.budget = Budget.of(memory, net.device).beside(held)
        self.image = image.to(net.device, net.dtype)
        self.read = read or net.classify
        size = self.budget.image_size(net, self.image, "window")
        self.batches = Batches(size, "whole forward")

    @property
    def batch(self) -> int:
        """How many windows are computed at a time."""
        return self.batches.size

    @property
    def note(self) -> str:
        """How memory ran out, if it did; otherwise empty."""
        return self.batches.note

    def outputs(self, corners: Tensor, contents: Tensor) -> Tensor:
        """``(n, K)``, what is read off the image with one window replaced in each.

        Args:
            corners: ``(n, 2)``, the windows' upper left corners as (y, x).
            contents: ``(n, C, h, w)`` of the windows' size, pixels in [0, 1].
        """
        with self.net.evaluating():
            return self.batches.run(self._read_replaced, corners, contents)

    def _read_replaced(self, corners: Tensor, contents: Tensor) -> Tensor:
        return self.read(self._replaced(corners, contents))

    def _replaced(self, corners: Tensor, contents: Tensor) -> Tensor:
        images = self.image.repeat(len(corners), 1, 1, 1)
        height, width = self.window
        for one, content, (y, x) in zip(images, contents, corners.tolist(), strict=True):
            one[:, y : y + height, x : x + width] = content
        return images.to(memory_format=self.net.memory_format)
