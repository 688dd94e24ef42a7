"""Whatever a network calls arrives as the same operations, which can be called out of place."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from xwidgets.networks.forward_trace import ForwardTrace
from xwidgets.networks.operations import Operation
from xwidgets.networks.provenance import factors, producer


def tensor(*shape, seed=0, image=True):
    """Random numbers of both signs; of the image, they require a gradient and are no leaf."""
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return values.requires_grad_().clone() if image else values


def maps(seed=0):
    return tensor(2, 4, 6, 6, seed=seed)


CONSTANT = tensor(2, 4, 6, 6, seed=7, image=False)
ROWS = tensor(2, 5, seed=8, image=False)
KERNELS = tensor(3, 4, 3, 3, seed=2, image=False)
TRANSPOSED = tensor(4, 3, 3, 3, seed=3, image=False)
MATRIX = tensor(5, 3, seed=4, image=False)
BIAS = tensor(3, seed=5, image=False)
SQUARE = tensor(3, 6, seed=9, image=False)
MEAN, VARIANCE = tensor(4, seed=6, image=False), torch.rand(4) + 0.5
NORM = nn.BatchNorm2d(4).eval()


class Calls(TorchFunctionMode):
    """Keeps the operations of calls that have an input, and checks each out of place."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        operation = Operation(function, args, kwargs or {})
        if not operation.inputs:
            return function(*args, **(kwargs or {}))
        before = [(value.detach().clone(), value._version) for value in operation.inputs]
        result = operation()
        assert_same([(value, value._version) for value in operation.inputs], before)
        output = function(*args, **(kwargs or {}))
        if not isinstance(output, torch.Size):
            assert_same(result, output)
        self.seen.append(operation)
        return output


def assert_same(one, other):
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, tuple | list):
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    else:
        assert one == other


def seen(call, x=None):
    """The operations of ``call(x)``."""
    with Calls() as calls:
        call(maps() if x is None else x)
    return calls.seen


def last(call, x=None):
    return seen(call, x)[-1]


def assign(x):
    x[:, 0] = 0


def increase(x):
    x += CONSTANT


def scale(x):
    x *= 3


def halve(x):
    x /= 2


def decrease(x):
    x -= CONSTANT


# spelling: name, kind, in place
SPELLINGS = {
    # rectifiers
    "nn.ReLU": (nn.ReLU(), "relu", "rectifier", False),
    "nn.ReLU in place": (nn.ReLU(inplace=True), "relu", "rectifier", True),
    "F.relu": (F.relu, "relu", "rectifier", False),
    "F.relu(x, True)": (lambda x: F.relu(x, True), "relu", "rectifier", True),
    "F.relu(inplace=True)": (lambda x: F.relu(x, inplace=True), "relu", "rectifier", True),
    "F.relu(input=x)": (lambda x: F.relu(input=x), "relu", "rectifier", False),
    "F.relu_": (F.relu_, "relu", "rectifier", True),
    "torch.relu": (torch.relu, "relu", "rectifier", False),
    "torch.relu_": (torch.relu_, "relu", "rectifier", True),
    "an operator": (torch.ops.aten.relu, "relu", "rectifier", False),
    "an operator with its overload": (torch.ops.aten.relu.default, "relu", "rectifier", False),
    "an operator in place": (torch.ops.aten.relu_.default, "relu", "rectifier", True),
    "x.relu()": (lambda x: x.relu(), "relu", "rectifier", False),
    "x.relu_()": (lambda x: x.relu_(), "relu", "rectifier", True),
    "nn.ReLU6": (nn.ReLU6(), "hardtanh", "rectifier", False),
    "nn.ReLU6 in place": (nn.ReLU6(inplace=True), "hardtanh", "rectifier", True),
    "F.relu6": (F.relu6, "relu6", "rectifier", False),
    "F.relu6(x, True)": (lambda x: F.relu6(x, True), "relu6", "rectifier", True),
    "F.hardtanh(x, 0, 6)": (lambda x: F.hardtanh(x, 0, 6), "hardtanh", "rectifier", False),
    "F.hardtanh_(x, 0., 1.)": (lambda x: F.hardtanh_(x, 0.0, 1.0), "hardtanh", "rectifier", True),
    "x.clamp(0)": (lambda x: x.clamp(0), "clamp", "rectifier", False),
    "x.clamp(min=0)": (lambda x: x.clamp(min=0), "clamp", "rectifier", False),
    "x.clamp_(min=0)": (lambda x: x.clamp_(min=0), "clamp", "rectifier", True),
    "torch.clamp(x, 0, 6)": (lambda x: torch.clamp(x, 0, 6), "clamp", "rectifier", False),
    "torch.clamp_(x, 0)": (lambda x: torch.clamp_(x, 0), "clamp", "rectifier", True),
    "x.clamp_min(0)": (lambda x: x.clamp_min(0), "clamp_min", "rectifier", False),
    "x.clamp_min_(0)": (lambda x: x.clamp_min_(0), "clamp_min", "rectifier", True),
    "F.threshold(x, 0, 0)": (lambda x: F.threshold(x, 0, 0), "threshold", "rectifier", False),
    "F.threshold(.., True)": (lambda x: F.threshold(x, 0, 0, True), "threshold", "rectifier", True),
    "F.threshold_": (lambda x: F.threshold_(x, 0, 0), "threshold", "rectifier", True),
    "torch.threshold": (lambda x: torch.threshold(x, 0, 0), "threshold", "rectifier", False),
    "nn.Threshold": (nn.Threshold(0, 0), "threshold", "rectifier", False),
    "nn.LeakyReLU": (nn.LeakyReLU(0.1), "leaky_relu", "rectifier", False),
    "F.leaky_relu in place": (
        lambda x: F.leaky_relu(x, 0.1, True), "leaky_relu", "rectifier", True,
    ),
    "F.leaky_relu_": (lambda x: F.leaky_relu_(x, 0.1), "leaky_relu", "rectifier", True),
    "F.prelu": (lambda x: F.prelu(x, MEAN), "prelu", "rectifier", False),
    "nn.ELU in place": (nn.ELU(inplace=True), "elu", "rectifier", True),
    "F.elu_": (F.elu_, "elu", "rectifier", True),
    "F.selu_": (F.selu_, "selu", "rectifier", True),
    "F.celu_": (F.celu_, "celu", "rectifier", True),
    "nn.SiLU in place": (nn.SiLU(inplace=True), "silu", "rectifier", True),
    "nn.GELU": (nn.GELU(), "gelu", "rectifier", False),
    "nn.Hardswish in place": (nn.Hardswish(inplace=True), "hardswish", "rectifier", True),
    "nn.Mish": (nn.Mish(), "mish", "rectifier", False),
    "nn.Softplus": (nn.Softplus(), "softplus", "rectifier", False),
    # gates
    "nn.Sigmoid": (nn.Sigmoid(), "sigmoid", "gate", False),
    "x.sigmoid_()": (lambda x: x.sigmoid_(), "sigmoid", "gate", True),
    "F.hardsigmoid in place": (lambda x: F.hardsigmoid(x, True), "hardsigmoid", "gate", True),
    "x.tanh_()": (lambda x: x.tanh_(), "tanh", "gate", True),
    "nn.Softmax": (nn.Softmax(1), "softmax", "gate", False),
    # sums
    "x + c": (lambda x: x + CONSTANT, "add", "sum", False),
    "c + x": (lambda x: CONSTANT + x, "add", "sum", False),
    "1 + x": (lambda x: 1 + x, "add", "sum", False),
    "x += c": (increase, "add", "sum", True),
    "x.add_(c)": (lambda x: x.add_(CONSTANT), "add", "sum", True),
    "x.add_(c, alpha=2)": (lambda x: x.add_(CONSTANT, alpha=2), "add", "sum", True),
    "torch.add": (lambda x: torch.add(input=x, other=CONSTANT, alpha=2), "add", "sum", False),
    "x - c": (lambda x: x - CONSTANT, "sub", "sum", False),
    "x -= c": (decrease, "sub", "sum", True),
    "torch.subtract": (lambda x: torch.subtract(x, CONSTANT), "sub", "sum", False),
    "2 - x": (lambda x: 2 - x, "rsub", "sum", False),
    "torch.rsub": (lambda x: torch.rsub(x, 2), "rsub", "sum", False),
    # products
    "x * c": (lambda x: x * CONSTANT, "mul", "mul", False),
    "2 * x": (lambda x: 2 * x, "mul", "mul", False),
    "x *= 3": (scale, "mul", "mul", True),
    "torch.multiply": (lambda x: torch.multiply(x, CONSTANT), "mul", "mul", False),
    "x.multiply_": (lambda x: x.multiply_(CONSTANT), "mul", "mul", True),
    "x / c": (lambda x: x / 3, "div", "mul", False),
    "x /= 2": (halve, "div", "mul", True),
    "torch.true_divide": (lambda x: torch.true_divide(x, 2), "div", "mul", False),
    "x.divide_": (lambda x: x.divide_(2), "div", "mul", True),
    # with weights
    "F.conv2d": (lambda x: F.conv2d(x, KERNELS), "conv2d", "linear", False),
    "torch.conv2d": (lambda x: torch.conv2d(x, KERNELS, BIAS, 2), "conv2d", "linear", False),
    "F.conv_transpose2d": (
        lambda x: F.conv_transpose2d(x, TRANSPOSED), "conv_transpose2d", "linear", False,
    ),
    "F.linear": (lambda x: F.linear(x, SQUARE, MEAN[:3]), "linear", "linear", False),
    # averages and maxima
    "nn.AvgPool2d": (nn.AvgPool2d(3, 2, 1), "avg_pool2d", "average", False),
    "F.avg_pool2d": (lambda x: F.avg_pool2d(x, 2), "avg_pool2d", "average", False),
    "nn.AdaptiveAvgPool2d": (nn.AdaptiveAvgPool2d(2), "adaptive_avg_pool2d", "average", False),
    "x.mean": (lambda x: x.mean((2, 3)), "mean", "average", False),
    "torch.sum": (lambda x: torch.sum(x, 1), "sum", "average", False),
    "nn.Upsample": (nn.Upsample(scale_factor=2), "interpolate", "average", False),
    "nn.MaxPool2d": (nn.MaxPool2d(3, 2, 1, ceil_mode=True), "max_pool2d", "maximum", False),
    "torch.max_pool2d": (lambda x: torch.max_pool2d(x, 2), "max_pool2d", "maximum", False),
    "F.max_pool2d with indices": (
        lambda x: F.max_pool2d(x, 2, return_indices=True),
        "max_pool2d", "maximum", False,
    ),
    "nn.AdaptiveMaxPool2d": (nn.AdaptiveMaxPool2d(1), "adaptive_max_pool2d", "maximum", False),
    "x.amax": (lambda x: x.amax((2, 3)), "amax", "maximum", False),
    # batch norm
    "nn.BatchNorm2d": (
        nn.BatchNorm2d(4, affine=False).eval(), "batch_norm", "normalization", False,
    ),
    "F.batch_norm": (
        lambda x: F.batch_norm(x, MEAN, VARIANCE), "batch_norm", "normalization", False,
    ),
    "torch.batch_norm": (
        lambda x: torch.batch_norm(x, None, None, MEAN, VARIANCE, False, 0.1, 1e-5, False),
        "batch_norm", "normalization", False,
    ),
    # movements
    "x.chunk": (lambda x: x.chunk(2, 1), "chunk", "movement", False),
    "torch.split": (lambda x: torch.split(x, 2, 1), "split", "movement", False),
    "nn.Flatten": (nn.Flatten(), "flatten", "movement", False),
    "x[:, 0]": (lambda x: x[:, 0], "__getitem__", "movement", False),
    "x.permute": (lambda x: x.permute(0, 2, 3, 1), "permute", "movement", False),
    "F.pad": (lambda x: F.pad(x, (1, 1)), "pad", "movement", False),
    "nn.Dropout": (nn.Dropout().eval(), "dropout", "movement", False),
    "nn.PixelShuffle": (nn.PixelShuffle(2), "pixel_shuffle", "movement", False),
    "x.double()": (lambda x: x.double(), "double", "movement", False),
    # what no method can go back through unseen
    "x.clamp(min=-1)": (lambda x: x.clamp(min=-1), "clamp", "unknown", False),
    "x.clamp(max=1)": (lambda x: x.clamp(max=1), "clamp", "unknown", False),
    "x.clamp_min_(1)": (lambda x: x.clamp_min_(1), "clamp_min", "unknown", True),
    "nn.Hardtanh": (nn.Hardtanh(), "hardtanh", "unknown", False),
    "F.hardtanh": (F.hardtanh, "hardtanh", "unknown", False),
    "F.threshold(x, 1, 0)": (lambda x: F.threshold(x, 1, 0), "threshold", "unknown", False),
    "F.threshold(x, 0, 3)": (lambda x: F.threshold(x, 0, 3), "threshold", "unknown", False),
    "x.pow": (lambda x: x.pow(2), "pow", "unknown", False),
    "x ** 2": (lambda x: x**2, "pow", "unknown", False),
    "x.square_()": (lambda x: x.square_(), "square", "unknown", True),
    "x.masked_fill_": (
        lambda x: x.masked_fill_(CONSTANT > 0, 1), "masked_fill", "unknown", True,
    ),
    "-x": (lambda x: -x, "neg", "unknown", False),
    "torch.where": (
        lambda x: torch.where(CONSTANT > 0, x, CONSTANT), "where", "unknown", False,
    ),
    "F.layer_norm": (lambda x: F.layer_norm(x, (6, 6)), "layer_norm", "unknown", False),
    "F.group_norm": (lambda x: F.group_norm(x, 2), "group_norm", "unknown", False),
    "F.conv2d with weights that depend on the image": (
        lambda x: F.conv2d(x, x[:1, :, :3, :3]), "conv2d", "unknown", False,
    ),
    "F.conv2d with such a bias": (
        lambda x: F.conv2d(x, KERNELS, x[0, 0, 0, :3]), "conv2d", "unknown", False,
    ),
    "F.batch_norm in training": (
        lambda x: F.batch_norm(x, None, None, training=True), "batch_norm", "unknown", False,
    ),
    "torch.batch_norm in training": (
        lambda x: torch.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False),
        "batch_norm", "unknown", False,
    ),
    "nn.BatchNorm2d without statistics": (
        nn.BatchNorm2d(4, affine=False, track_running_stats=False).eval(),
        "batch_norm", "unknown", False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_the_same_operation_that_can_be_called_out_of_place(spelling):
    call, name, kind, inplace = SPELLINGS[spelling]
    operation = last(call)
    assert (operation.name, operation.kind, operation.inplace) == (name, kind, inplace)
    assert kind == "unknown" or len(operation.inputs) == 1
    assert kind == "unknown" or operation.inputs[0] is operation.input or spelling == "c + x"


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: x @ MATRIX, "matmul"),
        (lambda x: torch.matmul(x, MATRIX), "matmul"),
        (lambda x: x.matmul(MATRIX), "matmul"),
        (lambda x: x.mm(MATRIX), "mm"),
        (lambda x: torch.addmm(BIAS, x, MATRIX), "addmm"),
        (lambda x: torch.addmm(input=BIAS, mat1=x, mat2=MATRIX), "addmm"),
        (lambda x: torch.matmul(x, other=MATRIX), "matmul"),
        (lambda x: torch.mm(x, mat2=MATRIX), "mm"),
        (nn.Linear(5, 3).requires_grad_(False), "linear"),
    ],
)
def test_a_product_with_a_matrix_of_weights_is_linear(call, name):
    operation = last(call, tensor(2, 5))
    assert (operation.name, operation.kind) == (name, "linear")
    assert len(operation.inputs) == 1


@pytest.mark.parametrize(
    "call",
    [lambda x: x @ x.T, lambda x: ROWS @ x.T, lambda x: torch.addmm(x[:, :2], ROWS, x.T)],
)
def test_a_product_with_a_matrix_that_depends_on_the_image_is_not_linear(call):
    assert last(call, tensor(2, 5)).kind == "unknown"


@pytest.mark.parametrize(
    "call", [lambda x: 3 / x, lambda x: CONSTANT / x, lambda x: torch.div(CONSTANT, x)]
)
def test_division_by_the_image_is_unknown(call):
    assert "unknown" in [operation.kind for operation in seen(call)]


ZERO = torch.zeros(())


@pytest.mark.parametrize(
    "call",
    [
        lambda x: torch.max(x, ZERO),
        lambda x: torch.maximum(x, ZERO),
        lambda x: torch.fmax(x, ZERO),
        lambda x: x.clip(0),
    ],
)
def test_a_rectifier_in_disguise_is_no_maximum(call):
    assert last(call).kind in ("rectifier", "unknown")


def test_operations_on_constants_have_no_inputs():
    operation = Operation(torch.relu, (CONSTANT,), {})
    assert operation.inputs == ()
    assert operation.input is CONSTANT


# Arguments

X = maps()


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [
        (F.conv2d, (X, KERNELS, BIAS, 2, 1, 3, 1), {}),
        (torch.conv2d, (X, KERNELS, BIAS), {"stride": 2, "padding": 1, "dilation": 3, "groups": 1}),
        (F.conv2d, (X,), {"weight": KERNELS, "bias": BIAS, "groups": 1, "dilation": 3,
                          "padding": 1, "stride": 2}),
        (F.conv2d, (), {"input": X, "weight": KERNELS, "bias": BIAS, "groups": 1, "dilation": 3,
                        "padding": 1, "stride": 2}),
    ],
)  # fmt: skip
def test_arguments_of_a_convolution_are_read_by_name(function, args, kwargs):
    operation = Operation(function, args, kwargs)
    assert operation.input is X
    assert operation.argument("weight") is KERNELS
    assert operation.argument("bias") is BIAS
    numbers = [operation.argument(name) for name in ("stride", "padding", "dilation", "groups")]
    assert numbers == [2, 1, 3, 1]


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "expected"),
    [
        (F.conv_transpose2d, (X, TRANSPOSED, None, 2, 1, 1, 1, 3), {},
         {"stride": 2, "padding": 1, "output_padding": 1, "groups": 1, "dilation": 3}),
        (torch.max_pool2d, (X, 3, 2, 1, 4, True), {},
         {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 4, "ceil_mode": True}),
        (F.max_pool2d_with_indices, (X, 3, 2, 1, 4, True), {},
         {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 4, "ceil_mode": True}),
        (F.avg_pool2d, (X, 3, 2, 1, True), {},
         {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
        (F.avg_pool2d, (X,), {"kernel_size": 3, "ceil_mode": True},
         {"kernel_size": 3, "stride": None, "ceil_mode": True}),
        (F.batch_norm, (X, MEAN, VARIANCE, BIAS, None, True), {},
         {"running_mean": MEAN, "running_var": VARIANCE, "weight": BIAS, "training": True}),
        (torch.batch_norm, (X, BIAS, None, MEAN, VARIANCE, True, 0.1, 1e-5, False), {},
         {"running_mean": MEAN, "running_var": VARIANCE, "weight": BIAS, "training": True}),
        (torch.clamp, (X, 1, 2), {}, {"min": 1, "max": 2}),
        (torch.Tensor.clamp_, (X,), {"max": 2}, {"min": None, "max": 2}),
        (torch.threshold, (X, 1, 2), {}, {"threshold": 1, "value": 2}),
        (F.threshold, (X, 1), {"value": 2}, {"threshold": 1, "value": 2}),
        (F.hardtanh, (X, 1), {"max_val": 2}, {"min_val": 1, "max_val": 2}),
        (F.hardtanh_, (X, 1, 2), {}, {"min_val": 1, "max_val": 2}),
        (torch.Tensor.add_, (X, CONSTANT), {"alpha": 2}, {"other": CONSTANT, "alpha": 2}),
        (torch.Tensor.__rsub__, (X, 2), {}, {"other": 2}),
        (torch.rsub, (X, 2), {}, {"other": 2}),
        (torch.Tensor.matmul, (X, KERNELS), {}, {"other": KERNELS}),
        (torch.addmm, (BIAS, X, MATRIX), {}, {"input": BIAS, "mat1": X, "mat2": MATRIX}),
        (F.linear, (X,), {"bias": BIAS, "weight": MATRIX}, {"bias": BIAS, "weight": MATRIX}),
    ],
)  # fmt: skip
def test_arguments_are_read_by_name_whether_given_by_position_or_by_keyword(
    function, args, kwargs, expected
):
    operation = Operation(function, args, kwargs)
    for name, value in expected.items():
        found = operation.argument(name)
        assert found is value if isinstance(value, torch.Tensor) else found == value, name
    assert operation.input is X


def test_an_argument_that_was_not_given_has_the_default():
    operation = Operation(F.conv2d, (X, KERNELS), {})
    assert operation.argument("stride") is None
    assert operation.argument("stride", 1) == 1


# Calling with something else


def test_an_operation_runs_with_other_inputs_and_weights():
    other, weight = maps(1), KERNELS * 2
    for operation in (
        Operation(F.conv2d, (X, KERNELS, BIAS, 2), {}),
        Operation(F.conv2d, (X,), {"weight": KERNELS, "bias": BIAS, "stride": 2}),
    ):
        assert torch.equal(operation(other), F.conv2d(other, KERNELS, BIAS, 2))
        assert torch.equal(
            operation(other, weight=weight, bias=None), F.conv2d(other, weight, None, 2)
        )
        assert torch.equal(operation(weight=weight), F.conv2d(X, weight, BIAS, 2))


def test_inputs_keep_their_places():
    one, other = maps(1), maps(2)
    for operation in (
        Operation(torch.sub, (X, maps(3)), {}),
        Operation(torch.sub, (), {"input": X, "other": maps(3)}),
    ):
        assert torch.equal(operation(one, other), one - other)
    assert torch.equal(Operation(torch.sub, (CONSTANT, X), {})(one), CONSTANT - one)


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [
        (F.relu, (), {"inplace": True}),
        (F.relu, (True,), {}),
        (torch.relu_, (), {}),
        (torch.Tensor.add_, (CONSTANT,), {}),
        (F.threshold, (0, 0, True), {}),
    ],
)
def test_an_operation_in_place_leaves_other_inputs_untouched(function, args, kwargs):
    x, other = maps(), maps(1)
    operation = Operation(function, (x, *args), kwargs)
    before, other_before = x.detach().clone(), other.detach().clone()
    result = operation(other)
    assert torch.equal(x, before)
    assert torch.equal(other, other_before)
    assert torch.equal(result, function(other, *args, **kwargs))


# Gates and producers


def products(call):
    """The product with two inputs in ``call(x)``, which sees rules."""
    found = []

    def rule(operation):
        if len(operation.inputs) == 2:
            parts = factors(operation)
            scales = [parts is not None and value is parts[1] for value in operation.inputs]
            found.append(scales.index(True) if parts else None)
        return operation()

    module = nn.Conv2d(4, 4, 1)
    with ForwardTrace(module, rules={"mul": rule}):
        call(module, maps())
    return found


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda m, x: x * m(x).sigmoid(), 1),
        (lambda m, x: m(x).sigmoid() * x, 0),
        (lambda m, x: torch.mul(m(x), F.hardsigmoid(m(x), inplace=True)), 1),
        (lambda m, x: x * m(x).sigmoid_(), 1),
        (lambda m, x: x * m(x.mean((2, 3), keepdim=True)), 1),
        (lambda m, x: m(x.mean((2, 3), keepdim=True)).relu() * x, 0),
        (lambda m, x: x / x.sum((1, 2, 3), keepdim=True), 1),
        (lambda m, x: x / (1 + m(x).abs()), 1),
        (lambda m, x: x * m(x.mean((2, 3))[..., None, None]).sigmoid().expand_as(x), 1),
        (lambda m, x: x * m(x).sigmoid().view(1, 4, -1).view_as(x), 1),
        (lambda m, x: x * m(x), None),
        (lambda m, x: m(x).tanh() * x.sigmoid(), None),
        (lambda m, x: x * m(x).sigmoid().add(1), None),
    ],
)
def test_which_factor_only_scales(call, expected):
    assert products(call) == [expected]


def test_the_producer_of_a_batch_norms_input_is_the_convolution():
    found = []

    def rule(operation):
        found.append(producer(operation.input))
        return operation()

    convolution = nn.Conv2d(4, 4, 1)
    module = nn.Sequential(convolution, NORM, nn.ReLU(), nn.BatchNorm2d(4).eval())
    with ForwardTrace(module, layers=["0"], rules={"normalization": rule}):
        module(maps())
    assert found[0].name == "conv2d"
    assert torch.equal(found[0].argument("weight"), convolution.weight)
    assert found[1] is None


def test_what_was_written_over_has_no_producer():
    found = []

    def rule(operation):
        found.append(producer(operation.input))
        return operation()

    class Shifted(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution, self.norm = nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)

        def forward(self, x):
            y = self.convolution(x)
            y += 1
            return self.norm(y)

    module = Shifted().eval()
    with ForwardTrace(module, rules={"normalization": rule}):
        module(maps())
    assert found == [None]


def kinds(call):
    """The kinds of the operations in ``call(x)`` that depend on x."""
    found = []

    def rule(operation):
        found.append(operation.kind)
        return operation()

    x = maps().clone()
    with ForwardTrace(nn.Identity(), rules=dict.fromkeys(("mul", "movement", "unknown"), rule)):
        call(x)
    return [kind for kind in found if kind != "movement"]


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x * (x.roll(1, 3) > 0),
        lambda x: x[x > 0],
        lambda x: F.interpolate(x, scale_factor=2, mode="bicubic"),
    ],
)
def test_a_rectifier_in_disguise_is_unknown(call):
    assert kinds(call) == ["unknown"]


def test_a_mask_that_does_not_depend_on_the_image_only_scales():
    assert kinds(lambda x: x * (CONSTANT > 0)) == ["mul"]
