"""Facts about torch's operations, one row each, however they are spelled.

Functions, methods, operators and what modules call have the same row: `F.relu(x)`, `nn.ReLU()(x)`,
`x.relu_()` and `torch.ops.aten.relu(x)` are all spelled "relu". What follows from facts (how
differences go on, how a signal goes back, what a unit can see) stands with those who ask for them,
so that one new row is known to all: for an activation that is missing here, say an operator
`torch.ops.mine.squareplus`, that is `_row("squareplus", Facts("rectifier", "value"))`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

Kind = Literal[
    "linear",  # with weights: convolutions and matrix products
    "average",  # without: weighted means and sums of one tensor's values
    "maximum",
    "normalization",  # by statistics that do not depend on the image
    "sum",
    "mul",  # by a factor or its inverse
    "rectifier",
    "gate",  # other activations, such as the sigmoid
    "comparison",
    "movement",  # values are moved, copied or dropped, but not changed
    "unknown",
]

Reads = Literal[
    "value",  # the one at its own place
    "channels",  # those of all channels at its place
    "map",  # all of them, but it stands for the one at its place
    "window",  # those under a sliding window
    "region",  # those in a part of the map, as large as the size of the output makes it
    "axes",  # all along some axes
    "others",
]

Moves = Literal[
    "kept",  # where they are
    "copied",  # the same
    "replaced",  # written over those of another tensor
    "reshaped",  # in their order, an image at a time
    "indexed",
    "assigned",  # written over some of another tensor's
    "padded",
    "joined",
    "arranged",  # in another order, or some of them
    "expanded",  # repeated along axes of one value
]


@dataclass(frozen=True)
class Facts:
    """Facts about what an operation does.

    Attributes:
        kind: what it is to a signal that goes back through it.
        reads: which values of its inputs a value of its output is made of.
        axes: along how many axes a window slides or a region lies.
        plain: whether a rectifier is max(x, 0), neither smooth nor capped.
        leaky: whether a rectifier is linear below zero too.
        outputs_first: whether the first axis of its weights is that of the outputs.
        coefficients: of a sum, what its first and its second term are multiplied with.
        divides: whether a product is with the inverse of the second factor.
        moves: what becomes of the values of a movement, where others have to know.
        like: the one of its inputs of which it takes the shape and type alone.
        looks: whether it takes values out of torch, so that a branch may follow.
        random: whether it draws random numbers.
    """

    kind: Kind = "unknown"
    reads: Reads = "others"
    axes: int = 0
    plain: bool = False
    leaky: bool = False
    outputs_first: bool = False
    coefficients: tuple[float, float] = (1, 1)
    divides: bool = False
    moves: Moves | None = None
    like: Literal["first", "second"] | None = None
    looks: bool = False
    random: bool = False

    @property
    def keeps_place(self) -> bool:
        """Whether a value of the output stands for the one at its place."""
        return self.reads in ("value", "channels", "map")


Arguments = Callable[..., Any]
"""Gives the argument of a name, or else a default."""

FactsOf = Callable[[Arguments], Facts]
"""Gives the facts of a call with some arguments."""


@dataclass(frozen=True)
class Row:
    """An operation of the table.

    Attributes:
        names: its spellings, without the underscore of those in place; sentences call it the first.
        facts: those of every call, or what gives those of a call with some arguments.
        arguments: names of its arguments in their order, where torch's function has no signature.
        input: the argument that it acts on.
        weight, bias: those that hold its weights.
    """

    names: tuple[str, ...]
    facts: Facts | FactsOf = Facts()
    arguments: tuple[str, ...] = ()
    input: str = "input"
    weight: str = "weight"
    bias: str = "bias"

    def facts_given(self, arguments: Arguments) -> Facts:
        """Facts of a call with some arguments."""
        return self.facts if isinstance(self.facts, Facts) else self.facts(arguments)


def row_of(function: Callable[..., Any]) -> Row:
    """The row of a function of torch; one without facts for what is not in the table.

    Example:
        >>> import torch
        >>> row_of(torch.Tensor.relu_) is row_of(torch.ops.aten.relu.default)
        True
        >>> row_of(torch.erfinv).facts.kind
        'unknown'
        >>> row_of(torch.ops.quantized.conv2d).names
        ('quantized.conv2d',)
    """
    name = _called(function)
    if is_inplace(function):
        name = name.removesuffix("_")
    return ROWS.get(name) or Row((name,))


def is_inplace(function: Callable[..., Any]) -> bool:
    """Whether a function is spelled as one that writes over its input."""
    name = _called(function)
    return name.endswith("_") and not name.endswith("__")


def _called(function: Callable[..., Any]) -> str:
    """Name of a function; with its library for quantized ones, whose weights have another form."""
    name = function.__name__.partition(".")[0]  # an operator has its overload behind it
    library = getattr(function, "__module__", None)
    return f"quantized.{name}" if library == "torch._ops.quantized" else name


def _row(names: str, facts: Facts | FactsOf, arguments: str = "", **roles: str) -> Row:
    return Row(tuple(names.split()), facts, tuple(arguments.split()), **roles)


def _rows(names: str, facts: Facts | FactsOf, arguments: str = "") -> list[Row]:
    return [_row(name, facts, arguments) for name in names.split()]


def _normalized(given: Arguments) -> Facts:
    training = given("training")
    return Facts("unknown", "map") if training else Facts("normalization", "value")


def _rectified_at(bound: str, cap: str) -> FactsOf:
    """Facts of what cuts off below a bound, and above a cap: a rectifier where the bound is 0."""

    def facts(given: Arguments) -> Facts:
        low, high = given(bound), given(cap)
        if isinstance(low, Tensor) or isinstance(high, Tensor) or low != 0 or given("value"):
            return Facts(reads="value")
        return Facts("rectifier", "value", plain=high is None and cap == "max")

    return facts


def _largest(given: Arguments) -> Facts:
    return Facts(reads="value") if _of_two(given) else Facts("maximum", "axes")


def _smallest(given: Arguments) -> Facts:
    return Facts(reads="value" if _of_two(given) else "axes")


def _of_two(given: Arguments) -> bool:
    return isinstance(given("dim"), Tensor) or given("other") is not None


def _resized(given: Arguments) -> Facts:
    negative_weights = given("mode") == "bicubic"
    return Facts("unknown" if negative_weights else "average", "region")


def _terms(first: int, second: int) -> FactsOf:
    """Facts of a sum; ``alpha`` multiplies what is subtracted, or else the second term."""

    def facts(given: Arguments) -> Facts:
        alpha = given("alpha", 1)
        scaled = (first * alpha, second) if first < 0 else (first, second * alpha)
        return Facts("sum", "value", coefficients=scaled)

    return facts


def _divided(given: Arguments) -> Facts:
    rounded = given("rounding_mode") is not None
    return Facts("unknown" if rounded else "mul", "value", divides=True)


def _dropped(given: Arguments) -> Facts:
    training = given("train", given("training", True)) and given("p", 0.5) > 0
    return Facts(random=True) if training else Facts("movement", "value", moves="kept")


def _leaky_at_random(given: Arguments) -> Facts:
    training = given("training", False) and given("lower", 1 / 8) != given("upper", 1 / 3)
    return Facts(random=True) if training else _LEAKY


def _attended(given: Arguments) -> Facts:
    return Facts(random=given("dropout_p", 0.0) > 0 and given("training", True))


_CONVOLUTION = "input weight bias stride padding dilation groups"
_TRANSPOSED = "input weight bias stride padding output_padding groups dilation"
_POOL = "input kernel_size stride padding dilation ceil_mode return_indices"
_REDUCED = "input dim keepdim"
_RECTIFIER = Facts("rectifier", "value")
_LEAKY = Facts("rectifier", "value", leaky=True)
_GATE = Facts("gate", "value")
_MOVEMENT = Facts("movement")
_KEPT = Facts("movement", "value", moves="kept")
_RESHAPED = Facts("movement", moves="reshaped")
_ARRANGED = Facts("movement", moves="arranged")

_TABLE = (
    # with weights
    *(
        _row(f"conv{n}d", Facts("linear", "window", n, outputs_first=True), _CONVOLUTION)
        for n in (1, 2, 3)
    ),
    *(_row(f"conv_transpose{n}d", Facts("linear", axes=n), _TRANSPOSED) for n in (1, 2, 3)),
    _row("linear", Facts("linear", outputs_first=True), "input weight bias"),
    _row("matmul __matmul__", Facts("linear"), "input other", weight="other"),
    _row("mm", Facts("linear"), "input mat2", weight="mat2"),
    _row("addmm", Facts("linear"), "input mat1 mat2", input="mat1", weight="mat2", bias="input"),
    # averages and maxima
    *(
        _row(
            f"avg_pool{n}d",
            Facts("average", "window", n),
            "input kernel_size stride padding ceil_mode",
        )
        for n in (1, 2, 3)
    ),
    *(_row(f"adaptive_avg_pool{n}d", Facts("average", "region", n)) for n in (1, 2, 3)),
    _row("mean", Facts("average", "axes"), _REDUCED),
    _row("sum", Facts("average", "axes"), _REDUCED),
    *_rows("interpolate upsample", _resized),
    *(
        _row(f"max_pool{n}d max_pool{n}d_with_indices", Facts("maximum", "window", n), _POOL)
        for n in (1, 2, 3)
    ),
    *(
        _row(
            f"adaptive_max_pool{n}d adaptive_max_pool{n}d_with_indices",
            Facts("maximum", "region", n),
        )
        for n in (1, 2, 3)
    ),
    _row("amax", Facts("maximum", "axes"), _REDUCED),
    _row("max", _largest, _REDUCED),
    _row("min", _smallest, _REDUCED),
    # normalizations
    _row(
        "batch_norm",
        _normalized,
        "input weight bias running_mean running_var training momentum eps",
    ),
    *_rows("layer_norm group_norm instance_norm", Facts(reads="map")),
    _row("local_response_norm", Facts(reads="channels")),
    # sums and products
    _row("add", _terms(1, 1), "input other"),
    _row("sub subtract", _terms(1, -1), "input other"),
    _row("rsub __rsub__", _terms(-1, 1), "input other"),
    _row("mul multiply", Facts("mul", "value"), "input other"),
    _row("div divide true_divide", _divided, "input other"),
    # rectifiers
    _row("relu", Facts("rectifier", "value", plain=True)),
    _row("relu6", _RECTIFIER),
    _row("hardtanh", _rectified_at("min_val", "max_val"), "input min_val max_val"),
    _row("clamp clip", _rectified_at("min", "max"), "input min max"),
    _row("clamp_min", _rectified_at("min", "max"), "input min"),
    _row("threshold _threshold", _rectified_at("threshold", "max"), "input threshold value"),
    _row("leaky_relu", _LEAKY),
    _row("prelu", _LEAKY, "input weight"),
    _row("rrelu", _leaky_at_random, "input lower upper training"),
    _row("elu", _RECTIFIER),
    _row("selu", _RECTIFIER),
    _row("celu", _RECTIFIER),
    _row("silu", _RECTIFIER),
    _row("gelu", _RECTIFIER),
    _row("hardswish", _RECTIFIER),
    _row("mish", _RECTIFIER),
    _row("softplus", _RECTIFIER),
    # gates
    _row("sigmoid", _GATE),
    _row("hardsigmoid", _GATE),
    _row("tanh", _GATE),
    _row("softmax", Facts("gate", "map"), "input dim"),
    _row("log_softmax", Facts(), "input dim"),
    # other functions of each value
    *_rows(
        """neg negative abs absolute exp expm1 log log1p pow square sqrt rsqrt reciprocal erf erfc
        sin cos log_sigmoid logsigmoid softsign tanhshrink maximum minimum fmax fmin addcmul addcdiv
        lerp masked_fill clamp_max __rdiv__ __rpow__""",
        Facts(reads="value"),
    ),
    _row("where", Facts(reads="value"), "condition input other"),
    # comparisons
    *_rows(
        """gt ge lt le eq ne greater greater_equal less less_equal sign heaviside""",
        Facts("comparison", "value"),
    ),
    # movements
    _row("clone", Facts("movement", "value", moves="copied")),
    _row("copy", Facts("movement", "value", moves="replaced")),
    *_rows("contiguous float double half bfloat16 cpu cuda type", _KEPT),
    *_rows("to type_as", Facts("movement", "value", moves="kept", like="second")),
    *_rows(
        """dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout
        feature_alpha_dropout""",
        _dropped,
        "input p train",
    ),
    *_rows("view reshape flatten unflatten squeeze unsqueeze", _RESHAPED),
    *_rows("view_as reshape_as", Facts("movement", like="second")),
    _row("expand", Facts("movement", moves="expanded")),
    _row("expand_as", Facts("movement", moves="expanded", like="second")),
    _row("__getitem__", Facts("movement", moves="indexed"), "input index"),
    _row("__setitem__", Facts("movement", moves="assigned"), "input index value"),
    _row("pad", Facts("movement", moves="padded")),
    _row("cat concat concatenate", Facts("movement", moves="joined"), "tensors dim"),
    *_rows(
        """ravel permute transpose t movedim moveaxis swapaxes swapdims chunk split tensor_split
        unbind narrow select index_select repeat tile roll flip pixel_shuffle pixel_unshuffle
        channel_shuffle""",
        _ARRANGED,
    ),
    *_rows("__get__ stack hstack vstack gather zero fill", _MOVEMENT),
    # what takes no part in the values
    *_rows(
        """empty_like full_like ones_like zeros_like
        new_empty new_empty_strided new_full new_ones new_tensor new_zeros""",
        Facts(like="first"),
    ),
    # what draws random numbers
    *_rows("rand_like randint_like randn_like", Facts(like="first", random=True)),
    *_rows(
        """rand randn randint randperm normal bernoulli multinomial poisson binomial uniform
        exponential geometric log_normal cauchy random native_dropout gumbel_softmax
        fractional_max_pool2d fractional_max_pool2d_with_indices fractional_max_pool3d
        fractional_max_pool3d_with_indices""",
        Facts(random=True),
    ),
    _row("scaled_dot_product_attention", _attended, "query key value attn_mask dropout_p"),
    _row("multi_head_attention_forward", _attended),
    *_rows(
        """__bool__ __int__ __float__ __index__ __contains__ __array__ item tolist numpy equal
        allclose is_nonzero""",
        Facts(looks=True),
    ),
)

ROWS = {name: row for row in _TABLE for name in row.names}
"""By spelling."""
