"""Running moments against those of numpy, whatever the order and number of samples."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xwidgets.explain.running_moments import RunningMoments

numbers = st.lists(st.floats(-100, 100), min_size=0, max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=5), st.floats(-1e4, 1e4))
def test_means_and_variances_are_those_of_the_samples(samples, offset):
    moments = RunningMoments(len(samples), 2)
    for turn in range(6):
        here = [i for i, values in enumerate(samples) if len(values) > turn]
        if here:
            values = [[offset + samples[i][turn], -samples[i][turn]] for i in here]
            moments.add(torch.tensor(here), torch.tensor(values, dtype=torch.float64))
    for i, values in enumerate(samples):
        assert moments.count[i] == len(values)
        if values:
            expected = [offset + np.mean(values), -np.mean(values)]
            np.testing.assert_allclose(moments.mean[i], expected, atol=1e-8)
        if len(values) > 1:
            np.testing.assert_allclose(moments.variance[i], 2 * [np.var(values, ddof=1)], atol=1e-6)
        else:
            assert moments.variance[i].isnan().all()


def test_nothing_is_lost_beside_a_large_mean():
    moments = RunningMoments(1, 1)
    values = 1e6 + torch.tensor([1e-3, 2e-3, 3e-3], dtype=torch.float64)
    for value in values:
        moments.add(torch.tensor([0]), value[None, None])
    assert abs(moments.variance.item() / 1e-6 - 1) < 1e-3


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-9, 9)), max_size=20), st.integers(1, 20))
def test_samples_of_one_window_may_come_together(samples, batch):
    together, alone = RunningMoments(4, 1), RunningMoments(4, 1)
    windows = torch.tensor([window for window, _ in samples], dtype=torch.long)
    values = torch.tensor([[value] for _, value in samples], dtype=torch.float64).view(-1, 1)
    for part in range(0, len(samples), batch):
        together.add(windows[part : part + batch], values[part : part + batch])
    for number in range(len(samples)):
        alone.add(windows[number : number + 1], values[number : number + 1])
    assert torch.equal(together.count, alone.count)
    assert torch.equal(together.mean, alone.mean)
    assert torch.equal(together.variance.nan_to_num(-1), alone.variance.nan_to_num(-1))
