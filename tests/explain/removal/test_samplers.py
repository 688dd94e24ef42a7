"""The samplers against dense algebra, scipy and loops."""

import gc
import weakref

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.stats import multivariate_normal

from xwidgets import ConditionalSampler, ConstantSampler, MarginalSampler, Network, network
from xwidgets.explain.removal.samplers import default_sampler

from .gaussians import SIZES, block_formulas, drawn_moments, gaussian, inside, randomness


def places(padding):
    return [(y, x) for y in range(2 * padding + 1) for x in range(2 * padding + 1)]


@pytest.mark.parametrize(("channels", "window", "padding"), SIZES)
def test_the_gain_is_the_block_formula_at_every_place(channels, window, padding):
    sampler = gaussian(channels, window, padding)
    for place in places(padding):
        w = inside(channels, window + 2 * padding, window, place)
        gain, _, _ = block_formulas(sampler.mean.numpy(), sampler.covariance.numpy(), w)
        np.testing.assert_allclose(sampler.gain(window, place).numpy(), gain, atol=1e-9)


@pytest.mark.parametrize(("channels", "window", "padding"), SIZES)
def test_conditional_density_times_surrounding_density_is_joint_density(channels, window, padding):
    sampler = gaussian(channels, window, padding, seed=1)
    mean, covariance = sampler.mean.numpy(), sampler.covariance.numpy()
    joint = multivariate_normal(mean, covariance)
    rng = np.random.default_rng(2)
    side = window + 2 * padding
    for place in places(padding):
        w = inside(channels, side, window, place)
        around = multivariate_normal(mean[~w], covariance[np.ix_(~w, ~w)])
        patch = rng.multivariate_normal(mean, covariance)
        image = torch.from_numpy(patch).view(channels, side, side)
        conditional = multivariate_normal(*drawn_moments(sampler, image, place, window))
        assert conditional.logpdf(patch[w]) == pytest.approx(
            joint.logpdf(patch) - around.logpdf(patch[~w]), abs=1e-7
        )


def test_without_padding_nothing_is_known():
    sampler = gaussian(2, 3, 0)
    assert sampler.gain(3, (0, 0)).shape == (18, 0)
    mean, covariance = drawn_moments(sampler, torch.rand(2, 5, 4, dtype=torch.float64), (1, 0), 3)
    np.testing.assert_allclose(mean, sampler.mean.numpy(), atol=1e-12)
    np.testing.assert_allclose(covariance, sampler.covariance.numpy(), atol=1e-12)


@pytest.mark.parametrize(("channels", "window", "padding"), [(3, 2, 1), (1, 2, 2), (4, 1, 2)])
@pytest.mark.parametrize(("height", "width"), [(6, 9), (9, 7)])
def test_every_window_is_drawn_given_the_patch_around_it(channels, window, padding, height, width):
    sampler = gaussian(channels, window, padding)
    side = window + 2 * padding
    image = torch.rand(channels, height, width, dtype=torch.float64)
    corners = [(y, x) for y in range(height - window + 1) for x in range(width - window + 1)]
    draw = sampler.condition(image, window)
    drawn = draw(torch.tensor(corners), randomness(len(corners)))
    seen = set()
    for i, (y, x) in enumerate(corners):
        top = min(max(y - padding, 0), height - side)
        left = min(max(x - padding, 0), width - side)
        patch = image.numpy()[:, top : top + side, left : left + side].ravel()
        w = inside(channels, side, window, (y - top, x - left))
        mean, covariance = sampler.mean.numpy(), sampler.covariance.numpy()
        gain, offset, rest = block_formulas(mean, covariance, w)
        expected = gain @ patch[~w] + offset
        means, covariances = drawn_moments(sampler, image, (y, x), window)
        np.testing.assert_allclose(means, expected, atol=1e-9)
        np.testing.assert_allclose(covariances, rest, atol=1e-9)
        noise = randomness(len(corners))[i].standard_normal(len(mean), dtype=np.float32)
        other = mean + np.linalg.cholesky(covariance) @ noise
        content = other[w] + gain @ (patch - other)[~w]
        np.testing.assert_allclose(drawn[i].flatten().numpy(), content, atol=1e-9)
        seen.add((y - top, x - left))
    assert seen == set(places(padding))


@pytest.mark.parametrize("corner", [(0, 0), (0, 3), (0, 6), (3, 0), (3, 3), (3, 6), (6, 0), (6, 3),
                                    (6, 6)])  # fmt: skip
def test_drawn_contents_have_the_closed_form_mean_and_covariance(corner):
    channels, window, padding, count = 2, 2, 2, 4000
    sampler = gaussian(channels, window, padding)
    image = torch.rand(channels, 8, 8, dtype=torch.float64)
    draw = sampler.condition(image, window)
    contents = draw(torch.tensor([corner] * count), randomness(count)).flatten(1).numpy()

    origin = [min(max(at - padding, 0), 8 - 6) for at in corner]
    patch = image.numpy()[:, origin[0] : origin[0] + 6, origin[1] : origin[1] + 6].ravel()
    w = inside(channels, 6, window, (corner[0] - origin[0], corner[1] - origin[1]))
    gain, offset, rest = block_formulas(sampler.mean.numpy(), sampler.covariance.numpy(), w)
    white = np.linalg.solve(np.linalg.cholesky(rest), (contents - gain @ patch[~w] - offset).T)
    assert np.abs(white.mean(1)).max() < 4.5 / np.sqrt(count)
    assert np.abs(np.cov(white) - np.eye(8)).max() < 4.5 * np.sqrt(2 / count)


def test_drawing_depends_neither_on_order_nor_on_batches():
    sampler = gaussian(3, 2, 1)
    image = torch.rand(3, 7, 8, dtype=torch.float64)
    corners = torch.cartesian_prod(torch.arange(6), torch.arange(7))
    draw = sampler.condition(image, 2)
    together = draw(corners, randomness(42))
    backwards = draw(corners.flip(0), randomness(42)[::-1]).flip(0)
    single = torch.cat([
        draw(corner[None], [rng]) for corner, rng in zip(corners, randomness(42), strict=True)
    ])  # fmt: skip
    torch.testing.assert_close(together, backwards, atol=1e-12, rtol=0)
    torch.testing.assert_close(together, single, atol=1e-12, rtol=0)


@pytest.mark.parametrize("window", [1, 2, 3])
def test_a_smaller_window_has_the_moments_of_the_middle_of_the_patch(window):
    channels, padding = 2, 1
    sampler = gaussian(channels, 4, padding)
    full, side = 6, window + 2
    start = (full - side) // 2
    kept = inside(channels, full, side, (start, start))
    mean = sampler.mean.numpy()[kept]
    covariance = sampler.covariance.numpy()[np.ix_(kept, kept)]
    for place in places(padding):
        w = inside(channels, side, window, place)
        gain, offset, rest = block_formulas(mean, covariance, w)
        patch = torch.rand(channels, side, side, dtype=torch.float64)
        drawn = drawn_moments(sampler, patch, place, window)
        np.testing.assert_allclose(drawn[0], gain @ patch.numpy().ravel()[~w] + offset, atol=1e-9)
        np.testing.assert_allclose(drawn[1], rest, atol=1e-11)


def test_clipping_is_clamping_of_the_same_contents():
    image, corners = torch.rand(3, 8, 8), torch.tensor([[0, 0], [3, 4], [6, 6]] * 30)
    moments = gaussian(3, 2, 1).mean, 100 * gaussian(3, 2, 1).covariance
    free, clipped = (
        ConditionalSampler(*moments, 3, 2, 1, clip).condition(image, 2)(corners, randomness(90))
        for clip in (False, True)
    )
    assert free.min() < 0
    assert free.max() > 1
    assert torch.equal(clipped, free.clamp(0, 1))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_fit_is_mean_and_covariance_of_patches(channels):
    images = np.random.default_rng(0).random((6, channels, 9, 11))
    sampler = ConditionalSampler.fit(images, window=2, padding=1, seed=5, patches=400)

    rng = np.random.default_rng(5)
    which, top, left = (rng.integers(limit, size=400) for limit in (6, 9 - 3, 11 - 3))
    patches = [
        images[i, :, y : y + 4, x : x + 4].ravel() for i, y, x in zip(which, top, left, strict=True)
    ]
    expected = np.cov(np.array(patches).T) + np.eye(channels * 16) / 255**2
    assert sampler.mean.dtype == sampler.covariance.dtype == torch.float64
    np.testing.assert_allclose(sampler.mean.numpy(), np.mean(patches, 0), atol=1e-6)
    np.testing.assert_allclose(sampler.covariance.numpy(), expected, atol=1e-7)


def test_fit_reaches_every_place_of_every_image():
    images = torch.zeros(3, 1, 6, 7)
    for i, y, x in [(0, 0, 0), (1, 5, 6), (2, 0, 6), (2, 5, 0)]:
        images[i, 0, y, x] = 1
    sampler = ConditionalSampler.fit(images, window=3, padding=0, patches=3000)
    patch = sampler.mean.view(3, 3)
    for corner in (patch[0, 0], patch[2, 2], patch[0, 2], patch[2, 0]):
        assert corner == pytest.approx(1 / (3 * 4 * 5), rel=0.5)


def test_fitting_flat_images_gives_a_proper_gaussian():
    sampler = ConditionalSampler.fit(torch.full((4, 3, 8, 8), 0.5), window=2, patches=50)
    content = sampler.condition(torch.full((3, 8, 8), 0.5), 2)(
        torch.tensor([[3, 3]]), randomness(1)
    )
    assert content.sub(0.5).abs().max() < 5 / 255


def test_a_sampler_survives_a_file(tmp_path):
    sampler = gaussian(3, 2, 1, clip=True)
    sampler.save(tmp_path / "sampler.safetensors")
    again = ConditionalSampler.load(tmp_path / "sampler.safetensors")
    assert repr(again) == repr(sampler)
    assert torch.equal(again.mean, sampler.mean)
    assert torch.equal(again.covariance, sampler.covariance)


@pytest.mark.parametrize("damage", ["missing", "empty", "noise", "truncated", "other", "size"])
def test_a_damaged_sampler_file_is_refused_in_one_sentence(tmp_path, damage):
    path = tmp_path / "sampler.safetensors"
    sampler = gaussian(1, 2, 1)
    if damage == "size":
        sampler = ConditionalSampler(sampler.mean, sampler.covariance, 3, 2, 1)
    sampler.save(path)
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "noise":
        path.write_bytes(bytes(range(256)) * 4)
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-5])
    elif damage == "other":
        save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="sampler") as caught:
        ConditionalSampler.load(path)
    assert "\n" not in str(caught.value)


def numbered(count, channels, height, width):
    """Images in which no two pixels are alike."""
    values = torch.arange(count * channels * height * width, dtype=torch.float64)
    return (values / len(values)).view(count, channels, height, width)


def test_marginal_contents_are_the_same_place_of_other_images():
    images = numbered(5, 3, 6, 7)
    corners = [(y, x) for y in range(5) for x in range(6)] * 5
    draw = MarginalSampler(images).condition(images[2], 2)
    contents = draw(torch.tensor(corners), randomness(len(corners)))
    sources = []
    for content, (y, x) in zip(contents, corners, strict=True):
        same = [i for i in range(5) if torch.equal(content, images[i, :, y : y + 2, x : x + 2])]
        assert len(same) == 1
        sources += same
    assert set(sources) == {0, 1, 3, 4}
    assert min(sources.count(i) for i in (0, 1, 3, 4)) > len(sources) / 8


def test_constant_contents():
    image, corners = torch.rand(3, 5, 5, dtype=torch.float64), torch.tensor([[0, 0], [2, 1]])
    grey = ConstantSampler(0.25).condition(image, 2)(corners, randomness(2))
    assert torch.equal(grey, torch.full((2, 3, 2, 2), 0.25, dtype=torch.float64))
    color = ConstantSampler((0.1, 0.2, 0.3)).condition(image, 2)(corners, randomness(2))
    assert color.shape == (2, 3, 2, 2)
    for channel, value in enumerate((0.1, 0.2, 0.3)):
        torch.testing.assert_close(
            color[:, channel], torch.full((2, 2, 2), value, dtype=torch.float64), rtol=0, atol=1e-12
        )


def test_the_largest_window_can_be_given_and_no_larger():
    image = torch.rand(3, 8, 9)
    samplers = [
        gaussian(3, 2, 1), gaussian(3, 5, 2), ConstantSampler(0.5),
        MarginalSampler(torch.rand(2, 3, 8, 9)),
    ]  # fmt: skip
    assert [sampler.largest(image) for sampler in samplers] == [2, 4, 8, 8]
    for sampler in samplers:
        draw = sampler.condition(image, sampler.largest(image))
        assert draw(torch.tensor([[0, 0]]), randomness(1)).isfinite().all()
    for sampler in samplers[:2]:
        with pytest.raises(ValueError, match="window"):
            sampler.condition(image, sampler.largest(image) + 1)


IMAGE = torch.rand(3, 8, 8)
IMAGES = torch.rand(4, 3, 8, 8)


@pytest.mark.parametrize(("side", "window"), [(12, 8), (28, 10), (32, 10), (64, 16), (224, 20)])
def test_a_networks_default_sampler_takes_the_default_window_wherever_it_fits(side, window):
    images = list(torch.rand(4, 1, side, side))
    module = torch.nn.Sequential(torch.nn.AvgPool2d(side // 4), torch.nn.Flatten())
    sampler = default_sampler(Network(module, size=(side, side), examples=lambda: images))
    assert sampler.window == window
    assert sampler.condition(images[0], window) is not None


def test_networks_of_one_tensor_of_images_share_a_default_sampler_for_as_long_as_it_is_kept():
    module = torch.nn.Sequential(torch.nn.AvgPool2d(3), torch.nn.Flatten())
    images, others = torch.rand(2, 4, 1, 12, 12)

    def fitted(images):
        return default_sampler(Network(module, size=(12, 12), examples=lambda: images))

    assert fitted(images) is fitted(images)
    assert torch.equal(fitted(others).mean, ConditionalSampler.fit(others, 8).mean)
    kept = weakref.ref(fitted(others))
    del others
    gc.collect()
    assert kept() is None


def test_embedded_networks_of_one_name_share_it():
    birds, street = (default_sampler(network(name)) for name in ("birds", "street"))
    assert birds is default_sampler(network("birds")) is not street


BAD = {
    "window-larger-than-fitted": (
        lambda: gaussian(3, 2, 1).condition(IMAGE, 3),
        r"smaller window, or sampler=.*fit\(images, 3\)"
    ),
    "patch-larger-than-image": (
        lambda: gaussian(3, 5, 2).condition(IMAGE, 5), "needs 9 pixels.* smaller window"
    ),
    "other-channels": (lambda: gaussian(1, 2, 1).condition(IMAGE, 2), "1 channels.* has 3"),
    "patch-larger-than-examples": (
        lambda: ConditionalSampler.fit(IMAGES, window=5, padding=2), "smaller window or padding"
    ),
    "no-window": (lambda: ConditionalSampler.fit(IMAGES, window=0), "window is 0"),
    "negative-padding": (lambda: ConditionalSampler.fit(IMAGES, 2, -1), "padding is -1"),
    "one-patch": (lambda: ConditionalSampler.fit(IMAGES, 2, patches=1), "patches is 1"),
    "8-bit-examples": (lambda: ConditionalSampler.fit(255 * IMAGES, 2), "8-bit values divided"),
    "single-example": (lambda: ConditionalSampler.fit(IMAGE, 2), r"x\[None\]"),
    "empty-examples": (lambda: ConditionalSampler.fit(IMAGES[:0], 2), "at least one image"),
    "nan-examples": (lambda: ConditionalSampler.fit(IMAGES * torch.nan, 2), "finite"),
    "marginal-shape": (
        lambda: MarginalSampler(IMAGES).condition(IMAGE[:, :7], 2), "images of the same shape"
    ),
    "marginal-itself": (
        lambda: MarginalSampler(IMAGE[None]).condition(IMAGE, 2), "give more images"
    ),
    "constant-channels": (
        lambda: ConstantSampler((0.1, 0.2)).condition(IMAGE, 2), "one number, or one a channel"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_sampled_is_refused_in_one_sentence(name):
    call, words = BAD[name]
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
