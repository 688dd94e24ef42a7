"""The same call gives the same map, whatever else the machine does."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

import xwidgets as xw

OPTIONS = {"window": 8, "stride": 8, "samples": 2}

MAP = f"""
from hashlib import sha256
import torch
import xwidgets as xw
net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
images = torch.stack([xw.scenes.bird(seed=seed).image for seed in range(4, 7)])
sampler = xw.ConditionalSampler.fit(images, window=8, patches=2_000)
result = xw.prediction_difference(net, image, sampler=sampler, **{OPTIONS})
units = xw.unit_relevance(net, image, "classifier.1", images=images, samples=2)
arrays = result.values, result.standard_error, units.values, units.standard_error
print(sha256(b"".join(array.tobytes() for array in arrays)).hexdigest())
"""

LOAD = "import os; os.nice(5)\nwhile True: sum(i * i for i in range(10**6))"


def test_fresh_processes_give_one_map_to_the_bit_under_load_too():
    loads = [subprocess.Popen([sys.executable, "-c", LOAD]) for _ in range(os.cpu_count() or 1)]
    try:
        digests = [_digest()]
    finally:
        for load in loads:
            load.kill()
            load.wait()
    digests.append(_digest())
    assert len({*digests}) == 1


def _digest() -> str:
    return subprocess.run(
        [sys.executable, "-c", MAP], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("measure", ["evidence", "difference"])
@pytest.mark.usefixtures("threads")
def test_memory_and_threads_move_a_map_by_less_than_a_hundred_thousandth_of_its_range(measure):
    net, image = xw.network("birds"), xw.scenes.bird(seed=3).image
    maps = []
    for count, memory in ((1, None), (2, None), (1, 0), (1, 1e9)):
        torch.set_num_threads(count)
        result = xw.prediction_difference(net, image, **OPTIONS, measure=measure, memory=memory)
        maps.append(result.values)
    assert np.ptp(maps, 0).max() <= 1e-5 * np.ptp(maps[0])
