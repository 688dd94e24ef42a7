"""How a recorded network is run on differences.

Every operation up to the first without a rule becomes a step. Two pairs of operations are done as
one: a batch norm behind a convolution is a factor of its weights, and a rectifier in front of a max
pool may as well come behind it, where there is less to rectify.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .extent import Extent
from .layout import Layout
from .linear import Convolution, TransposedConvolution
from .pointwise import Rectifier
from .pools import Maximum
from .recording import Call, Recording
from .rule import DifferenceRule, Source
from .rulebook import is_max_pool, rules_for


@dataclass(frozen=True)
class Step:
    """A rule at work.

    Attributes:
        rule: what is done.
        sources: the numbers of the values that it takes.
        result: the number of the value that it makes.
        over: the numbers of the values that nothing needs after it.
    """

    rule: DifferenceRule
    sources: tuple[int, ...]
    result: int
    over: tuple[int, ...] = ()


class Plan:
    """Steps on differences, and the calls that are left for whole values.

    Args:
        recording: of the unchanged image; values that only steps take are released from it.
        extent: of value 0, the windows in the image, or one place where that is a vector.

    Attributes:
        steps: in their order.
        rest: the calls from the first without a rule on.
        over: for each of the rest, the numbers of the values that nothing needs after it.
        differences: by number, what is known of the values of the steps.
        kept: the numbers of those that the rest takes, or that are the output.
    """

    def __init__(self, recording: Recording, extent: Extent) -> None:
        self._recording = recording
        self._uses = _uses(recording)
        start = recording.values[0]
        usual = Layout.usual(start.shape)
        self.differences = {0: Source(start, usual, extent, clean=True, free=False)}
        steps: list[Step] = []
        position = 0
        while position < len(recording.calls):
            rules, taken = self._rules(position)
            if not rules:
                break
            made = recording.calls[position + taken - 1].made
            for rule, result in zip(rules, made, strict=True):
                if result not in self._uses:
                    continue
                steps.append(Step(rule, recording.calls[position].sources, result))
                base = recording.values[result]
                self.differences[result] = Source(base, rule.layout, rule.extent, rule.clean, False)
            for past in range(position, position + taken):
                self._release(past)
            position += taken
        self.rest = recording.calls[position:]
        self.over = [self._ending(call.sources, at) for at, call in enumerate(self.rest, position)]
        self.kept = [n for n in self.differences if self._uses.get(n, [-1])[-1] >= position]
        self.steps = list(_with_ends(steps, self.kept))

    @property
    def whole_from(self) -> str | None:
        """Name of the first operation behind all boxes; ``None`` where that is the first of all."""
        calls, differences = self._recording.calls, self.differences
        last = -1
        for position, call in enumerate(calls):
            known = [differences[number] for number in call.made if number in differences]
            if any(not x.extent.whole for x in known):
                last = position
        return calls[last + 1].operation.name if 0 <= last < len(calls) - 1 else None

    @property
    def cost(self) -> int:
        """Multiplications a window."""
        steps = sum(step.rule.cost for step in self.steps)
        return steps + sum(map(self._multiplications, self.rest))

    @property
    def share(self) -> float:
        """Share of the multiplications of a whole forward that remain to be done."""
        whole = sum(map(self._multiplications, self._recording.calls))
        return self.cost / whole if whole else 1.0

    @property
    def numbers(self) -> int:
        """The most numbers that a window takes at a time, and its own all the time.

        Of a view of some channels only these count, though it holds the others too.
        """
        sizes = {number: source.numbers for number, source in self.differences.items()}
        own = 2 * sizes[0]  # as they were given, and in order
        live = {0: sizes[0]}
        most = [own + sizes[0]]
        for step in self.steps:
            live[step.result] = sizes[step.result]
            most.append(own + sum(live.values()) + step.rule.workspace)
            for number in step.over:
                del live[number]
        values = self._recording.values
        live = {number: values[number].numel() for number in self.kept}
        most.append(own + 2 * sum(live.values()))
        for call, over in zip(self.rest, self.over, strict=True):
            live.update({number: values[number].numel() for number in call.made})
            most.append(own + sum(live.values()) + values[call.made[0]].numel())
            for number in over:
                live.pop(number, None)
        return max(most)

    def _rules(self, position: int) -> tuple[Sequence[DifferenceRule], int]:
        """The rules for what a call makes, and how many calls they stand for."""
        call = self._recording.calls[position]
        outputs = [self._recording.values[number] for number in call.made]
        ending = self._ending(call.sources, position)
        sources = [replace(self.differences[n], free=n in ending) for n in call.sources]
        rules = rules_for(call.operation, sources, outputs)
        number, rule = call.made[0], rules[0] if rules else None
        if self._uses.get(number) == [position + 1] != [len(self._recording.calls)]:
            following = self._recording.calls[position + 1]
            operation, result = following.operation, self._recording.values[following.made[0]]
            if (
                isinstance(rule, Convolution | TransposedConvolution)
                and operation.kind == "normalization"
            ):
                factor = operation.scale.to(result)
                return [type(rule)(call.operation, sources[0], result, factor)], 2
            if isinstance(rule, Rectifier) and is_max_pool(operation.facts):
                return [Maximum(operation, sources[0], result, rectified=True)], 2
        return rules, 1

    def _release(self, position: int) -> None:
        """Forget what only a call up to here needed; value 0 stays, from which others go on."""
        call = self._recording.calls[position]
        over = [
            n for n in {*call.sources, *call.made} - {0} if self._uses.get(n, [-1])[-1] <= position
        ]
        self._recording.release(position, over)
        for number in over:
            if number in self.differences:
                known = self.differences[number]
                self.differences[number] = replace(known, base=self._recording.values[number])

    def _ending(self, sources: tuple[int, ...], position: int) -> tuple[int, ...]:
        """Tensors that only this call, and nothing after it, takes from here on."""
        return tuple(
            n for n in {*sources} if self._uses[n][-1] == position and sources.count(n) == 1
        )

    def _multiplications(self, call: Call) -> int:
        operation = call.operation
        if operation.kind != "linear":
            return 0
        weight, output = operation.weight, self._recording.values[call.made[0]]
        if operation.facts.outputs_first:
            return output.numel() * weight[0].numel()
        if operation.facts.axes:  # transposed: each number of the input is multiplied with its part
            return self._recording.values[call.sources[0]].numel() * weight[0].numel()
        return output.numel() * weight.shape[0]


def _uses(recording: Recording) -> dict[int, list[int]]:
    """By number of a value, the positions of the calls that take it; the output, one behind all."""
    uses: dict[int, list[int]] = {}
    for position, call in enumerate(recording.calls):
        for number in call.sources:
            uses.setdefault(number, []).append(position)
    uses.setdefault(recording.output, []).append(len(recording.calls))
    return uses


def _with_ends(steps: list[Step], kept: Iterable[int]) -> Iterable[Step]:
    last = {number: step for step in steps for number in step.sources}
    for step in steps:
        over = (n for n in {*step.sources} if last[n] is step and n not in kept)
        yield replace(step, over=tuple(over))
