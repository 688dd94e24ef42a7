"""A recorded network run on differences, and from its first operation without a rule on values."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from xwidgets.networks.operations import tensors

from .boxes import Places, Surroundings
from .extent import Extent, Span
from .plan import Plan
from .recording import Recording
from .rules import reshapes, whole_maps


class Differences:
    """What a network makes of an image in which a window has another content.

    Args:
        recording: of the unchanged image.
        window: k, the side of the windows, in pixels.

    Attributes:
        stopped_at: the name of the first operation without a rule, if there is one.
        share: of the multiplications of a whole forward, those that remain to be done.
        need: bytes that a window takes while it is computed.

    Example:
        >>> from xwidgets.incremental.recording import record
        >>> module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
        >>> differences = Differences(record(module, torch.rand(1, 3, 8, 8)), window=2)
        >>> places = Places(rows=torch.tensor([0, 3]), columns=torch.tensor([6, 2]))
        >>> differences.outputs(places, torch.rand(2, 3, 2, 2)).shape
        torch.Size([2, 2])
    """

    def __init__(self, recording: Recording, window: int) -> None:
        image = recording.values[0]
        extent = Extent(*(Span.of_windows(window, length) for length in image.shape[2:]))
        plan = Plan(recording, extent)
        self._pixels = Surroundings(image, extent, fill=0)
        self._steps = plan.steps
        self._joints = {
            number: (plan.differences[number].base, whole_maps(plan.differences[number]))
            for number in plan.kept
        }
        self._rest = [
            (call.operation.released(), call.sources, call.results, over)
            for call, over in zip(plan.rest, plan.over, strict=True)
        ]
        self._shapes = [recording.values[call.made[0]].shape[1:] for call in plan.rest]
        self._output = recording.output
        self.stopped_at = plan.rest[0].operation.name if plan.rest else None
        self.share = plan.share
        self.need = plan.numbers * image.element_size()

    @torch.no_grad()
    def outputs(self, places: Places, contents: Tensor) -> Tensor:
        """The output for windows at n ``places`` with ``contents`` ``(n, C, k, k)``: ``(n, K)``."""
        order = places.order
        places = Places(places.rows[order], places.columns[order])
        here = order.to(contents.device)
        pixels = contents[here].contiguous(memory_format=torch.channels_last)
        values = self._continued(self._stepped(places, pixels - self._pixels.at(places)), places)
        result = torch.empty_like(values)
        result[here] = values
        return result

    def _stepped(self, places: Places, pixels: Tensor) -> dict[int, Tensor]:
        """The differences that are left behind the last step."""
        boxes = {0: pixels}
        for step in self._steps:
            boxes[step.result] = step.rule(places, *[boxes[number] for number in step.sources])
            for number in step.over:
                del boxes[number]
        return boxes

    def _continued(self, boxes: Mapping[int, Tensor], places: Places) -> Tensor:
        """The output, from the differences that are left."""
        values = {
            number: base + (place.into(places, boxes[number]) if place else boxes[number])
            for number, (base, place) in self._joints.items()
        }
        for (operation, sources, results, over), shape in zip(
            self._rest, self._shapes, strict=True
        ):
            inputs = [values[number] for number in sources]
            if reshapes(operation):  # what was recorded is the shape for one image
                made = [inputs[0].reshape(len(inputs[0]), *shape)]
            else:
                made = list(tensors(operation(*inputs)))
            values.update(zip(results, made, strict=True))
            for number in over:
                del values[number]
        return values[self._output]
