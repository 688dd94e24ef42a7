"""Parameters of every type, and networks that multiply in another one than theirs."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.ao import quantization

import xwidgets as xw
from xwidgets.networks import Subject

pytestmark = pytest.mark.filterwarnings(r"ignore:\d+ images are fewer", "ignore:small takes")
SIDE = 12
IMAGES = torch.rand(40, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(6))
IMAGE = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(5))
FILL = xw.ConstantSampler(0.5)


class Small(nn.Module):
    """Layers whose weights are the same in all networks of this file."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 5, 3, padding=1)
        self.score = nn.Linear(5 * 36, 3)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.max_pool2d(self.norm(self.first(x)).relu(), 2)
        return self.second(x).relu().flatten(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.score(self.features(x))


class Autocast(Small):
    """All of it in a type of autocast's; logits come out in that type."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=self.dtype):
            return self.score(self.features(x))


class PartlyAutocast(Autocast):
    """Features in a type of autocast's, scores in float32."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=self.dtype):
            features = self.features(x)
        return self.score(features.float())


def before(parameter: torch.Tensor, buffer: bool = False) -> nn.Module:
    """Network whose first parameter, or else buffer, is another."""

    class Before(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            if buffer:
                self.register_buffer("index", parameter)
            else:
                self.index = nn.Parameter(parameter, requires_grad=False)
            self.body = Small()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.body(x * self.index.real.float().mean())

    return Before()


class OfBuffers(nn.Module):
    """Weights that are buffers, as of networks that are loaded to be used only."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.register_buffer("steps", torch.ones(1, dtype=torch.int64))
        self.register_buffer("weight", Small().score.weight.detach()[:, : 3 * 4].to(dtype))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(nn.functional.avg_pool2d(x, 6).flatten(1), self.weight)


def wrapped(module: nn.Module) -> xw.Network:
    return xw.Network(module.eval(), size=(SIDE, SIDE), name="small", examples=lambda: IMAGES)


TYPES = {
    "integers": (lambda: before(torch.ones(2, dtype=torch.int64)), torch.float32),
    "bytes": (lambda: before(torch.ones(2, dtype=torch.uint8)), torch.float32),
    "truths": (lambda: before(torch.ones(2, dtype=torch.bool)), torch.float32),
    "complex": (lambda: before(torch.ones(2, dtype=torch.complex64)), torch.float32),
    "complex-buffer": (lambda: before(torch.ones(2, dtype=torch.complex64), True), torch.float32),
    "index-buffer": (lambda: before(torch.ones(2, dtype=torch.int32), True), torch.float32),
    "buffers-alone": (lambda: OfBuffers(torch.float64), torch.float64),
    "half": (lambda: Small().half(), torch.float16),
    "double": (lambda: Small().double(), torch.float64),
    "nothing": (lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), torch.float32),
}


@pytest.mark.parametrize("name", TYPES)
def test_the_type_is_that_of_the_first_floating_point_numbers(name: str) -> None:
    make, dtype = TYPES[name]
    module = make()
    net = wrapped(module)
    assert net.dtype == dtype
    with torch.no_grad():
        assert torch.equal(net(IMAGES[:4]), module(IMAGES[:4].to(dtype)))
    assert Subject(net, IMAGE).pixels.dtype == dtype
    assert xw.occlusion(net, IMAGE, 0, 4).values.shape == (SIDE, SIDE)
    assert np.abs(xw.saliency(net, IMAGE, 0).values).max() > 0


@pytest.mark.parametrize("name", ["integers", "complex", "complex-buffer", "index-buffer"])
def test_a_number_of_another_type_changes_no_result(name: str) -> None:
    ours, plain = every(wrapped(TYPES[name][0]())), every(wrapped(Small()))
    for what, values in plain.items():
        np.testing.assert_allclose(ours[what], values, atol=1e-5, rtol=1e-4, err_msg=what)


def every(net: xw.Network) -> dict[str, np.ndarray]:
    """Results of all methods, for class 0, and for a channel."""
    channel = xw.Channel(net.layer(2).name, 1)
    first = net.layer(1).name

    def removed(target: object, **options: object) -> np.ndarray:
        return xw.prediction_difference(
            net, IMAGE, target, 4, FILL, samples=1, memory=4e4, **options
        ).values

    fit = xw.fit_explanation(
        net, IMAGES, int(net(IMAGES).argmax(1).mode().values), layer=channel.layer, hidden=(6, 4),
        epochs=2, progress=False,
    )  # fmt: skip
    found = xw.x_features(net, fit, IMAGE)
    ranking = xw.rank_neurons(net, IMAGE, samples=6, sigma=0.1, minimum=0, target=0, top=3)
    assert len(ranking.frame()) == 6
    return {
        "logits": net(IMAGES).float().numpy(),
        "evidence": removed(0),
        "difference": removed(0, measure="difference"),
        "of a channel": removed(channel),
        "occlusion": xw.occlusion(net, IMAGE, 0, 4).values,
        "saliency": xw.saliency(net, IMAGE, 0).values,
        "saliency of a channel": xw.saliency(net, IMAGE, channel).values,
        "excitation": xw.excitation_backprop(net, IMAGE, 0, contrastive=False).values,
        "contrastive": xw.excitation_backprop(net, IMAGE, 0).values,
        "excitation at a layer": xw.excitation_backprop(net, IMAGE, 0, stop_at=first).values,
        "deconvnet": xw.deconvolve(net, IMAGE, 2, 1).float().numpy(),
        "patches": np.array([xw.neuron_patches(net, IMAGE, [(2, 1)])[0].activation]),
        "units": xw.unit_relevance(net, IMAGE, first, 0, IMAGES, samples=2).values,
        "search": xw.search_images(net, IMAGES, [(2, 1)], cache=False, progress=False)[
            0
        ].activations,
        "region": xw.remove_region(net, IMAGE, np.eye(SIDE, dtype=bool), FILL, 1).evidence,
        "x-features": found.maps.sum((1, 2)),
        "probabilities": net.probabilities(net(IMAGES)).numpy(),
    }


@pytest.mark.parametrize(
    ("make", "dtype"),
    [(Autocast, torch.bfloat16), (Autocast, torch.float16), (PartlyAutocast, torch.bfloat16)],
)
def test_autocast_inside_gives_the_same_to_the_precision_of_its_type(
    make: Callable[[torch.dtype], nn.Module], dtype: torch.dtype
) -> None:
    net = wrapped(make(dtype))
    assert net.dtype == torch.float32
    assert net(IMAGES).dtype == (dtype if make is Autocast else torch.float32)
    ours, right = every(net), every(wrapped(Small()))
    for what, values in right.items():
        error = np.abs(ours[what] - values).max() / np.abs(values).max()
        assert error < 10 * torch.finfo(dtype).eps, what
    with xw.Study(net, IMAGE, 0, window=4, sampler=FILL, samples=1) as study:
        assert study.wait().completed == 1


# Quantized networks


class Quantized(nn.Module):
    """Network of 8-bit convolutions whose packed weights are neither parameters nor buffers."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.quantize = quantization.QuantStub()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 3))
        self.dequantize = quantization.DeQuantStub()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dequantize(self.body(self.quantize(x)))


@pytest.fixture(scope="module")
def quantized() -> xw.Network:
    module = Quantized().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # this part of torch moves to a package of its own
        module.qconfig = quantization.get_default_qconfig(torch.backends.quantized.engine)
        quantization.prepare(module, inplace=True)
        module(IMAGES)
        quantization.convert(module, inplace=True)
    return xw.Network(module, size=(SIDE, SIDE), name="eight-bit", examples=lambda: IMAGES)


def test_a_quantized_network_has_what_forward_passes_tell(quantized: xw.Network) -> None:
    assert quantized.dtype == torch.float32
    relevance = xw.occlusion(quantized, IMAGE, 0, 4, stride=4)
    for top in (0, 4, 8):
        for left in (0, 4, 8):
            hidden = IMAGE.clone()
            hidden[:, top : top + 4, left : left + 4] = 0.5
            scores = quantized.module(torch.stack([IMAGE, hidden]))[:, 0]
            lost = float(scores[0] - scores[1])
            assert relevance.values[top + 1, left + 1] == pytest.approx(lost, abs=1e-6)
    assert quantized.layers[0].name == "quantize"


def test_a_quantized_network_says_what_it_cannot(quantized: xw.Network) -> None:
    for call in (
        lambda: xw.saliency(quantized, IMAGE, 0),
        lambda: xw.excitation_backprop(quantized, IMAGE, 0),
        lambda: xw.rank_neurons(quantized, IMAGE, samples=2),
    ):
        with pytest.raises(
            ValueError, match=r"does not depend|no weights|no convolutions"
        ) as caught:
            call()
        assert "\n" not in str(caught.value)
