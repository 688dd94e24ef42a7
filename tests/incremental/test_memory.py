"""Memory is a promise: what is allocated, and that the numbers do not depend on it."""

import re
import weakref
from collections import deque
from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import squeezenet1_1

import xwidgets as xw
from xwidgets.explain.removal.region import fill_region
from xwidgets.explain.removal.samplers import drawing_bytes
from xwidgets.incremental import IncrementalInference, UnitInference, WholeInference, differences
from xwidgets.incremental.boxes import Places
from xwidgets.incremental.differences import Differences
from xwidgets.incremental.extent import Extent
from xwidgets.incremental.recording import Unrecordable, record
from xwidgets.incremental.whole_units import WholeUnitInference
from xwidgets.networks import Subject

from .replaced import plain, windows
from .storages import LiveStorages

SCENES = torch.stack([xw.scenes.bird(seed=seed).image for seed in range(4, 12)])
GREY = xw.ConstantSampler(0.5)


@pytest.fixture(scope="module")
def net():
    net = xw.network("birds")
    net.layers  # noqa: B018  # lists them
    return net


@pytest.fixture(scope="module")
def image():
    return xw.scenes.bird(seed=3).image


@pytest.fixture(scope="module")
def sampler():
    return xw.ConditionalSampler.fit(SCENES[:3], window=8, patches=2_000)


def methods(sampler, memory, samples=2):
    options = {"window": 8, "stride": 8, "memory": memory}
    return {
        "prediction difference": xw.PredictionDifference(
            sampler=sampler, samples=samples, measure="difference", **options
        ),
        "occlusion": xw.Occlusion(**options),
        "units": xw.UnitDifference(
            "classifier.1", SCENES, samples=4, measure="difference", memory=memory
        ),
        "region": xw.RegionDifference(xw.scenes.bird(seed=3).masks["beak"], GREY, 8, memory=memory),
    }


def values(result):
    return result.probabilities if isinstance(result, xw.RegionRemoval) else result.values


@pytest.mark.parametrize(
    ("name", "least"),
    [("prediction difference", 1.4e7), ("occlusion", 5e6), ("region", 5e6), ("units", 2e6)],
)
def test_no_more_is_allocated_than_was_promised_and_the_numbers_stay(
    net, image, sampler, name, least
):
    expected = values(methods(sampler, None, 1)[name].run(net, image, 3))
    peaks, notes = [], []
    for memory in (least, 6e7):
        with LiveStorages() as live:
            result = methods(sampler, memory, 1)[name].run(net, image, 3)
        assert live.peak <= memory
        assert np.abs(values(result) - expected).max() <= 1e-5 * np.ptp(expected)
        peaks.append(live.peak)
        notes.append(result.note)
    if name != "region":
        assert peaks[0] < peaks[1]  # it is made use of
        assert "birds is run whole for every" in notes[0]
        assert ": the activations of one image" in notes[0]
        assert notes[1] == ""


class Added(nn.Module):
    """A sum is written over the output of its layer."""

    def __init__(self):
        super().__init__()
        self.layer, self.out = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(3 * 64 * 64, 4)

    def forward(self, x):
        y = self.layer(x)
        y += x
        return self.out(y.flatten(1))


@pytest.mark.parametrize(("module", "layer"), [
    (lambda: squeezenet1_1(weights=None, num_classes=4), "features.0"),  # whose rectifiers do so
    (Added, "layer"),
])  # fmt: skip
def test_what_is_recorded_for_units_is_copied_for_none(module, layer):
    net, image = xw.Network(module(), size=(64, 64), name="small"), torch.rand(3, 64, 64)
    values = record(net.module.eval(), image[None]).values
    storages = {value.untyped_storage().data_ptr(): value.untyped_storage() for value in values}
    taken = sum(storage.nbytes() for storage in storages.values())
    memory = 1.05 * taken / (0.5 * 0.85)  # a half of what is left of the tensors' share
    assert "do not fit" not in UnitInference(net, image, layer, net.classify, memory).note


def test_units_leave_room_for_gaps(net, image):
    inference = UnitInference(net, image, "features.3", net.classify, 2e7)
    need, budget = inference._differences.need, inference.budget
    assert inference.batch == budget.box_size(need, 256) < budget.size(need, 256)


class Block(nn.Module):
    """A residual block with a gate, as of MobileNet v3."""

    def __init__(self, activation):
        super().__init__()
        self.spread, self.along = nn.Conv2d(64, 96, 1), nn.Conv2d(96, 96, 3, padding=1, groups=96)
        self.gate, self.back = nn.Conv2d(96, 96, 1), nn.Conv2d(96, 64, 1)
        self.activation = activation

    def forward(self, x):
        wide = self.activation(self.along(self.activation(self.spread(x))))
        gate = self.gate(wide.mean((2, 3), keepdim=True)).sigmoid()
        return x + self.back(wide * gate)


class Written(nn.Module):
    """Activations of several operations."""

    def forward(self, x):
        x = x * x.sigmoid()
        return x * nn.functional.relu6(x + 3) / 6


class Branches(nn.Module):
    """Two of them, side by side, of which one is a pool that the other needs the input of too."""

    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(64, 64, 3, padding=1)

    def forward(self, x):
        return torch.cat([nn.functional.max_pool2d(x, 3, 1, 1), self.one(x).relu()], 1)


CONVOLUTION = nn.Conv2d(3, 64, 3, padding=1)
MIDDLES = {
    "rectifier, pool": [nn.ReLU(inplace=True), nn.MaxPool2d(2)],
    "overlapping pool, stride": [nn.MaxPool2d(3, 2, 1), nn.Conv2d(64, 64, 3, stride=2)],
    "pool, averages": [nn.ReLU(), nn.MaxPool2d(3, 1, 1), nn.AvgPool2d(2)],
    "batch norm, gate with a rectifier": [nn.BatchNorm2d(64), Block(nn.Hardswish())],
    "gates without a form in place": [Block(nn.Softplus()), nn.Tanh()],
    "functions of channels": [nn.PReLU(64), nn.Softmax(1), nn.GELU()],
    "functions written out": [Written()],
    "branches, padding": [Branches(), nn.ZeroPad2d(1), nn.Conv2d(128, 64, 1)],
    "transposed": [nn.ConvTranspose2d(64, 64, 3, stride=2)],
    "wide at the end": [nn.ReLU(), nn.Conv2d(64, 400, 1), nn.ReLU(inplace=True)],
    "enlarged": [nn.MaxPool2d(4), nn.Upsample(scale_factor=3, mode="bilinear")],
}


@pytest.mark.parametrize("middle", MIDDLES.values(), ids=MIDDLES)
@pytest.mark.parametrize("side", [14, 40])  # of which the first soon differs as a whole
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_a_window_takes_is_known(middle, side, dtype):
    layers = [CONVOLUTION, *middle, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(3)]
    module, image = nn.Sequential(*layers).eval(), torch.rand(3, side, side)
    module(image[None])  # which tells the last layer its size
    recording = record(module, image[None])
    some = Differences(recording, Extent.of_windows(6, (side, side)))
    places = Places(torch.arange(8), torch.arange(8))
    boxes = torch.rand(8, 3, 6, 6)
    some.multiply_in(dtype)
    with LiveStorages() as live:
        some.outputs(places, boxes)
    least = 0.7 if dtype == torch.float32 else 0.5
    assert least * some.need <= live.peak / 8 <= 1.02 * some.need


def test_set_up_and_batches_take_what_they_say(net, image):
    whole = WholeInference(net, image, 8, 6e7)
    with LiveStorages() as live:
        inference = IncrementalInference(whole)
    held = inference._differences.held
    assert live.peak <= 2.5 * held
    _, contents = windows(image, 8, count=inference.batch)
    corners = torch.full((len(contents), 2), 23)
    with LiveStorages() as live:
        inference.outputs(corners, contents)
    need = len(contents) * inference._differences.need
    assert 0.7 * need <= live.peak <= need
    assert inference.batch * inference._differences.need + held <= 6e7


def scarce(run, most):
    """``run``, for which memory runs out with more than ``most`` windows or units."""

    def limited(self, *parts):
        if len(parts[-1]) > most:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried too much")
        return run(self, *parts)

    return limited


@pytest.mark.parametrize("most", [1, 5])
def test_where_memory_runs_out_a_map_goes_on_with_the_same_numbers(net, image, sampler, most):
    method = methods(sampler, None)["prediction difference"]
    expected = method.run(net, image, 3)
    outputs = differences.Differences.outputs
    with patch.object(differences.Differences, "outputs", scarce(outputs, most)):
        result = method.run(net, image, 3)
    assert (result.samples == 2).all()
    assert result.completed == 1
    assert np.abs(result.values - expected.values).max() <= 1e-5 * np.ptp(expected.values)
    told = re.search(r"memory ran out, so that windows are run (\d+) at a time", result.note)
    assert most / 2 < int(told[1]) <= most


def test_where_the_set_up_runs_out_of_memory_images_go_whole(net, image):
    def no_room(*arguments):
        raise MemoryError

    whole = WholeInference(net, image, 8)
    with patch("xwidgets.incremental.inference.Differences", no_room):
        inference = IncrementalInference(whole)
    assert inference.note == "birds is run whole for every window: memory ran out"
    corners, contents = windows(image, 8)
    torch.testing.assert_close(
        inference.outputs(corners, contents), plain(net, image, corners, contents)
    )
    with patch("xwidgets.incremental.units.Differences", no_room):
        units = UnitInference(net, image, "features.28", net.classify)
    assert units.note == "birds is run whole for every unit: memory ran out"


def test_an_image_of_another_size_that_memory_does_not_hold_is_told_so(net):
    def no_room(*arguments, inplace):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    inference = WholeInference(net, torch.rand(3, 72, 64), 8)
    with (
        patch("torch.nn.functional.relu", no_room),
        pytest.raises(MemoryError, match="memory ran out with a single whole forward; free some"),
    ):
        inference.outputs(torch.zeros(3, 2).long(), torch.rand(3, 3, 8, 8))


def test_a_run_that_rests_holds_no_inference_and_goes_on(net, image, sampler):
    method = methods(sampler, 3e7)["prediction difference"]
    run = method.on(Subject(net, image), [3])
    steps = run.steps()
    for _ in range(3):
        next(steps)
    differences = weakref.ref(run._run._faster._differences)
    run.rest()
    assert differences() is None
    deque(steps, maxlen=0)
    assert np.array_equal(run.results()[0].values, method.run(net, image, 3).values)


def test_a_rest_forgets_neither_smaller_batches_nor_notes(net, image, sampler):
    run = methods(sampler, None, 4)["prediction difference"].on(Subject(net, image), [3])
    outputs, steps = differences.Differences.outputs, run.steps()
    next(steps)
    with patch.object(differences.Differences, "outputs", scarce(outputs, 5)):
        next(steps)
    size, [before] = run._run._faster.batch, run.results()
    run.rest()
    next(steps)
    assert run._run._faster.batch == size <= 5
    assert run.results()[0].note == before.note != ""


def test_where_a_single_window_or_unit_does_not_fit_images_go_whole(net, image):
    inference = IncrementalInference(WholeInference(net, image, 8))
    corners, contents = windows(image, 8)
    units = UnitInference(net, image, "features.28", net.classify)
    numbers, changes = torch.tensor([0, 9]), torch.tensor([0.5, -0.2])
    expected = units.outputs(numbers, changes)
    with patch.object(differences.Differences, "outputs", scarce(None, 0)):
        outputs = inference.outputs(corners, contents)
        torch.testing.assert_close(units.outputs(numbers, changes), expected)
    torch.testing.assert_close(outputs, plain(net, image, corners, contents))
    assert inference.note == "birds is run whole for every window: memory ran out"
    assert units.note == "birds is run whole for every unit: memory ran out"


def test_notes_of_whole_forwards_stay_and_say_once_that_memory_ran_out(net, image):
    whole = WholeInference(net, image, 8)
    with patch.object(WholeInference, "_replaced", scarce(WholeInference._replaced, 2)):
        whole.outputs(*windows(image, 8))
    assert whole.note == f"memory ran out, so that whole forwards are run {whole.batch} at a time"
    assert IncrementalInference(whole).note == whole.note

    def no_room(*arguments):
        raise MemoryError

    with patch("xwidgets.incremental.inference.Differences", no_room):
        inference = IncrementalInference(whole)
    assert inference.note == f"birds is run whole for every window: {whole.note}"


def test_a_recording_is_gone_before_units_are_run_whole(net, image):
    recordings = []

    def unlike(recording, extent):
        recordings.append(weakref.ref(recording))
        raise Unrecordable("it is a test")

    def whole(*arguments):
        assert recordings[0]() is None
        return WholeUnitInference(*arguments)

    with (
        patch("xwidgets.incremental.units.Differences", unlike),
        patch("xwidgets.incremental.units.WholeUnitInference", whole),
    ):
        units = UnitInference(net, image, "features.28", net.classify)
    assert units.note == "birds is run whole for every unit: it is a test"


def test_maps_of_all_classes_take_what_their_grid_says(net, image):
    run = methods(None, None)["occlusion"].on(Subject(net, image), range(20))
    deque(run.steps(), maxlen=0)
    with LiveStorages() as live:
        results = run.results()
    assert len(results) == 20
    assert live.peak <= run._run.grid.map_bytes(20) <= 4 * live.peak


def test_drawing_takes_what_a_sampler_tells(sampler, image):
    for fill in (fill_window, fill_beak):
        with LiveStorages() as live:
            kept = fill(sampler, image)
        assert live.peak <= drawing_bytes(sampler, 8) + 4 * 3 * 64 * 64
        del kept
    assert drawing_bytes(GREY, 8) == 0


def fill_window(sampler, image):
    draw = sampler.condition(image, 8)
    corners = torch.tensor([[0, 0], [0, 20], [20, 0], [20, 20], [56, 56]])
    return draw, draw(corners, [np.random.default_rng(0)] * len(corners))


def fill_beak(sampler, image):
    mask = torch.from_numpy(xw.scenes.bird(seed=3).masks["beak"])
    return list(fill_region(sampler, image, mask, [np.random.default_rng(0)]))


def test_a_region_counts_what_its_sampler_takes(net, image, sampler):
    method = xw.RegionDifference(xw.scenes.bird(seed=3).masks["beak"], sampler, 2, memory=5e6)
    with pytest.raises(ValueError, match=r"memory is 5\.0 MB, but one image"):
        method.run(net, image)
