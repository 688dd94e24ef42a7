"""A network leaves its module as it was, and says in a sentence what cannot be."""

import csv
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision import models

import xwidgets as xw
from xwidgets import Network
from xwidgets.networks.zoo import torchvision_classifiers

SIZE = (6, 7)


class Odd(nn.Module):
    """Batch norm, dropout, an in-place first operation; fails on request."""

    def __init__(self, channels=3, classes=4):
        super().__init__()
        self.clamp = nn.Hardtanh(-0.3, 0.3, inplace=True)
        self.convolution = nn.Conv2d(channels, 5, 3)
        self.norm = nn.BatchNorm2d(5)
        self.drop = nn.Dropout(0.5)
        self.linear = nn.Linear(5, classes)
        self.fails = False

    def forward(self, x):
        x = self.norm(self.convolution(self.clamp(x))).relu_()
        if self.fails:
            raise RuntimeError("no more memory")
        return self.linear(self.drop(x.mean((2, 3))))


def network(channels=3, classes=4, **options):
    torch.manual_seed(0)
    normalize = ([0.45] * channels, [0.25] * channels)
    return Network(Odd(channels, classes), **{"normalize": normalize, "size": SIZE} | options)


def images(channels=3, count=2):
    return torch.rand(count, channels, *SIZE, generator=torch.Generator().manual_seed(1))


def state(module):
    """All that a call might change."""
    return {
        "modes": [part.training for part in module.modules()],
        "grads": [(value.requires_grad, value.grad) for value in module.parameters()],
        "values": [value.clone() for value in module.state_dict().values()],
        "hooks": [
            (len(part._forward_hooks), len(part._forward_pre_hooks), len(part._backward_hooks))
            for part in module.modules()
        ],
        "devices": [(value.dtype, value.device) for value in module.parameters()],
    }


def assert_same(before, after):
    values = before.pop("values"), after.pop("values")
    assert before == after
    assert all(torch.equal(old, new) for old, new in zip(*values, strict=True))


def mixed(net):
    """Some parts frozen, some training, a hook of the user's."""
    net.module.norm.eval()
    net.module.linear.weight.requires_grad_(False)
    net.module.norm.register_forward_hook(lambda *_: None)
    return net


@pytest.mark.parametrize("ask", ["logits", "layers", "top", "explain"])
@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_as_before_also_after_an_exception(ask, fails):
    net, x = mixed(network()), images()
    before, copy = state(net.module), x.clone()
    net.module.fails = fails
    calls = {
        "logits": lambda: net(x),
        "layers": lambda: net.layers,
        "top": lambda: net.top(x[0]),
        "explain": lambda: xw.prediction_difference(
            net, x[0], 0, 3, xw.ConstantSampler(0.5), samples=1
        ),
    }
    if fails:
        with pytest.raises((RuntimeError, ValueError), match="no more memory"):
            calls[ask]()
    else:
        assert calls[ask]() is not None
    assert_same(before, state(net.module))
    assert torch.equal(x, copy)
    assert torch.is_grad_enabled()
    net.module.fails = False
    assert net(x).isfinite().all()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_an_operation_in_place_never_reaches_the_images(layout):
    net, x = network(normalize=None), images().contiguous(memory_format=layout)
    copy = x.clone()
    net(x)
    assert torch.equal(x, copy)


def test_a_training_module_answers_as_in_evaluation():
    net, x = network(), images()
    net.module.train()
    assert torch.equal(net(x), net(x))
    expected = net.module.eval()((x - 0.45) / 0.25)
    torch.testing.assert_close(net(x), expected)


def test_logits_carry_no_gradient():
    x = images().requires_grad_()
    logits = network()(x)
    assert not logits.requires_grad
    assert x.grad is None


@pytest.mark.parametrize("channels", [1, 3, 4, 13])
def test_the_channels_are_those_of_the_module(channels):
    for net in (network(channels), network(channels, normalize=None)):
        assert net.channels == channels
        assert net(images(channels)).shape == (2, 4)
        with pytest.raises(ValueError, match=f"network takes {channels}"):
            net(images(channels + 1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_normalisation_inside_is_normalisation_outside(dtype):
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(40, 4)).to(dtype)
    x = images().to(dtype)
    inside = Network(module, normalize=(mean, std), size=SIZE)(x)
    normalised = torch.stack([(x[:, c] - mean[c]) / std[c] for c in range(3)], 1)
    outside = Network(module, size=SIZE).logits(normalised)
    assert inside.dtype == dtype
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    torch.testing.assert_close(inside, outside, rtol=tolerance, atol=tolerance)


def test_images_take_the_type_of_the_module():
    net = network()
    net.module.double()
    single, double = net(images()), net(images().double())
    assert single.dtype == double.dtype == torch.float64
    torch.testing.assert_close(single, double)


def test_probabilities_are_softmax_or_a_single_sigmoid():
    net = network()
    logits = torch.tensor([[2.0, -1.0, 0.5]])
    powers = np.exp(np.array([2.0, -1.0, 0.5]))
    np.testing.assert_allclose(net.probabilities(logits)[0].numpy(), powers / powers.sum())
    assert net.probabilities(torch.tensor([[3.0]])).item() == pytest.approx(1 / (1 + np.exp(-3)))


def test_top_lists_the_most_probable_classes_first():
    net = network(classes=4, name="odd")
    net.classes = ("cat", "dog", "bird", "fish")
    x = images(count=1)[0]
    logits = net(x[None])[0].double().numpy()
    probabilities = np.exp(logits) / np.exp(logits).sum()
    order = np.argsort(-probabilities)
    assert net.top(x, k=3) == [
        (i, net.classes[i], pytest.approx(probabilities[i])) for i in order[:3]
    ]
    assert len(net.top(x, k=99)) == 4


# What cannot be


def named():
    return network(classes=4, name="odd")


BAD = {
    "no-module": (lambda: Network("birds"), "torch.nn.Module, not str"),
    "normalize-lengths": (
        lambda: Network(Odd(), normalize=([0.5], [0.5, 0.5])), "one number a channel"
    ),
    "normalize-zero": (lambda: Network(Odd(), normalize=([0.5], [0.0])), "std > 0"),
    "class-names": (
        lambda: Network(Odd(), size=SIZE, classes=["a", "b"])(images()),
        "4 outputs but 2 class names",
    ),
    "size": (
        lambda: Network(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), size=(2, 2))(images()),
        r"6 x 7 pixels.*bring them to 2 x 2 with net.prepare\(image\)",
    ),
    "layers-of-another-size": (
        lambda: Network(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), size=(4, 4)).layers,
        r"size=\(H, W\)",
    ),
    "examples-that-are-images": (
        lambda: Network(Odd(), examples=torch.rand(2, 3, 6, 7)), "give examples=lambda: images"
    ),
    "network-name": (lambda: xw.network("brids"), "unknown network 'brids'; did you mean 'birds'"),
    "torchvision-name": (
        lambda: xw.network("squeezenet1-1"), "did you mean .*'squeezenet1_1'"
    ),
    "strange-name": (lambda: xw.network("?"), "unknown network"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_is_refused_in_one_sentence(name):
    call, words = BAD[name]
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_class_names_are_checked_at_the_first_call():
    net = Network(Odd(), size=SIZE, classes=["cat", "dog", "bird", "brid"])
    assert net.class_index("dog", 4) == 1
    assert net.class_index(torch.tensor([0, 2, 9, 4]).argmax(), 4) == 2
    for wrong in (1.5, torch.tensor(1.5), torch.tensor([1, 2]), None, 4, -1):
        with pytest.raises(ValueError, match="classes 0 to 3"):
            net.class_index(wrong, 4)
    with pytest.raises(ValueError, match="did you mean 'bird'"):
        net.class_index("birdy", 4)


# Preparing a picture


@pytest.mark.parametrize("shape", [(300, 451), (451, 300), (256, 256), (224, 640), (97, 130)])
@pytest.mark.parametrize("name", ["squeezenet1_1", "resnet50", "googlenet"])
def test_a_picture_is_prepared_as_torchvision_does(shape, name):
    weights = models.get_model_weights(name).DEFAULT
    preset = weights.transforms()
    net = Network(
        models.squeezenet1_1(weights=None),
        normalize=(preset.mean, preset.std),
        size=(preset.crop_size[0],) * 2,
        prepare_size=preset.resize_size[0],
    )
    image = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0))
    image = nn.functional.avg_pool2d(image, 5, 1, 2)
    mean, std = (torch.tensor(part)[:, None, None] for part in (preset.mean, preset.std))
    torch.testing.assert_close(net.prepare(image), preset(image) * std + mean, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(64, 64), (30, 80), (80, 30), (1, 1)])
@pytest.mark.parametrize("shape", [(10, 10), (37, 90), (200, 33)])
def test_a_prepared_picture_has_the_networks_size_whatever_it_was(size, shape):
    net = network(size=size)
    x = net.prepare(torch.rand(3, *shape))
    assert x.shape == (3, *size)
    assert x.is_contiguous()
    assert x.min() >= 0
    assert x.max() <= 1


def test_files_and_arrays_are_prepared_too(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(array).save(tmp_path / "picture.png")
    net = network(size=(16, 16))
    assert torch.equal(net.prepare(tmp_path / "picture.png"), net.prepare(array))


# Networks by name


def test_torchvisions_classifiers_are_known_and_nothing_else_of_it():
    names = torchvision_classifiers()
    assert {"squeezenet1_1", "vgg16", "alexnet", "resnet18", "googlenet"} < set(names)
    assert not {"fcn_resnet50", "raft_small", "r3d_18"} & set(names)


class Payload:
    """Unpickling it makes a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("layout", ["zip", "old"])
def test_weights_that_would_run_code_are_refused(tmp_path, monkeypatch, layout):
    pickle.loads(pickle.dumps(Payload(tmp_path / "harmless")))
    assert (tmp_path / "harmless").exists()  # the payload works

    checkpoints = tmp_path / "torch" / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    url = models.SqueezeNet1_1_Weights.DEFAULT.url
    torch.save(
        {"features.0.weight": Payload(tmp_path / "executed")},
        checkpoints / url.rsplit("/", 1)[-1],
        _use_new_zipfile_serialization=layout == "zip",
    )
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for override in ("0", "1"):
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", override)
        with pytest.raises(ValueError, match="weights of squeezenet1_1 could not be had"):
            xw.network("squeezenet1_1")
        assert not (tmp_path / "executed").exists()


REAL = Path(os.environ.get("XWIDGETS_REAL", Path(__file__).parents[3] / "shared" / "real"))


@pytest.fixture
def real(monkeypatch):
    if not (REAL / "torch").is_dir() or not (REAL / "imagenet").is_dir():
        pytest.skip("needs torch/ (weights) and imagenet/ (photographs) in $XWIDGETS_REAL")
    monkeypatch.setenv("TORCH_HOME", str(REAL / "torch"))
    return REAL


def test_squeezenet_recognises_photographs(real):
    net = xw.network("squeezenet1_1")
    assert (len(net.classes), net.size, net.channels) == (1000, (224, 224), 3)
    assert net.module.training is False
    with open(real / "imagenet" / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))[::5]
    assert len(rows) >= 48
    pictures = torch.stack([net.prepare(real / "imagenet" / row["file"]) for row in rows])
    logits = net(pictures)

    weights = models.SqueezeNet1_1_Weights.DEFAULT
    first = Image.open(real / "imagenet" / rows[0]["file"]).convert("RGB")
    reference = models.squeezenet1_1(weights=weights).eval()(weights.transforms()(first)[None])[0]
    assert torch.corrcoef(torch.stack([reference, logits[0]]))[0, 1] > 0.99

    right = sum(
        int(row["index"]) == best for row, best in zip(rows, logits.argmax(1).tolist(), strict=True)
    )
    assert right >= 0.6 * len(rows)


def test_a_pickled_network_is_the_same():
    net = network(name="odd")
    expected = net(images())
    copied = pickle.loads(pickle.dumps(net))
    assert torch.equal(copied(images()), expected)
    assert repr(copied) == repr(net)
    assert copied.layers == net.layers
