"""The images that drive a neuron most, against hooks, one image at a time and a plain sort."""

import csv
import io
import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

import xwidgets as xw
from xwidgets.box import Box
from xwidgets.explain import data_set, image_search
from xwidgets.images import Photograph, picture

from .parts import MEAN, REAL, STD, conv, untouched

search_images, search_images_steps = image_search.search_images, image_search.search_images_steps

HEIGHT, WIDTH = 12, 16
RECTIFIED = {"0": "1", "3": "4", "6": "7"}
NEURONS = [("0", 2), (2, 5), ("6", 1), (1, 0), ("0", 2)]


def exact(module):
    """Weights that are small multiples of a quarter, so that no sum is ever rounded."""
    generator = torch.Generator().manual_seed(3)
    for parameter in module.parameters():
        values = torch.randint(-4, 5, parameter.shape, generator=generator) / 4
        parameter.data.copy_(values)
    return module


def network(**options):
    module = nn.Sequential(
        conv(3, 4, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        conv(4, 6), nn.ReLU(inplace=True), nn.Flatten(),
        nn.Linear(6 * 4 * 6, 5), nn.ReLU(), nn.Linear(5, 2),
    )  # fmt: skip
    return xw.Network(exact(module), size=(HEIGHT, WIDTH), name="small", **options)


def pixels(count, seed=0, levels=4):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, levels + 1, (count, 3, HEIGHT, WIDTH)) / levels
    return torch.from_numpy(values).float()


def expected(net, images, layer, channel, k):
    """Number, activation and place of the best images."""
    name = net.layer(layer).name
    kept = []
    hook = dict(net.module.named_modules())[RECTIFIED[name]].register_forward_hook(
        lambda _, inputs, output: kept.append(output[0, channel].clone().numpy())
    )
    for image in images:
        net(image[None])
    hook.remove()
    order = np.argsort([-map_.max() for map_ in kept], kind="stable")[:k]
    places = [np.argwhere(np.atleast_2d(map_) == map_.max())[0] for map_ in kept]
    return [(number, kept[number].max(), tuple(places[number])) for number in order]


def check(net, images, neurons, results, k):
    assert len(results) == len(neurons)
    for result, (layer, channel) in zip(results, neurons, strict=True):
        best = expected(net, images, layer, channel, k)
        chosen = net.layer(layer)
        assert result.sources == tuple(str(number) for number, _, _ in best)
        assert result.activations.dtype == np.float32
        assert result.activations.tolist() == [float(value) for _, value, _ in best]
        assert result.images.dtype == np.uint8
        for shown, (number, _, _) in zip(result.images, best, strict=True):
            assert np.array_equal(shown, picture(images[number]))
        whole = Box(0, 0, HEIGHT, WIDTH)
        fields = [
            whole if len(chosen.shape) == 1 else chosen.field_of(*place, (HEIGHT, WIDTH))
            for _, _, place in best
        ]
        assert list(result.fields) == fields
        assert [crop.shape for crop in result.crops] == [
            (field.height, field.width, 3) for field in fields
        ]
        assert (result.layer, result.channel, result.network_name) == (
            chosen.name,
            channel,
            "small",
        )
        assert result.searched == result.total == len(images)
        assert result.skipped == ()


def assert_same(ours, theirs):
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert np.array_equal(one.activations, other.activations)
        assert np.array_equal(one.images, other.images)
        for name in ("network_name", "layer", "channel", "fields", "sources", "searched", "total",
                     "skipped", "versions"):  # fmt: skip
            assert getattr(one, name) == getattr(other, name)


def search(net, images, neurons=NEURONS, k=5, cache=False):
    return search_images(net, images, neurons, k, cache=cache, progress=False)


# What is found


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(1, 12),
    k=st.integers(1, 7),
    batch=st.integers(1, 13),
    levels=st.sampled_from([1, 4]),
    seed=st.integers(0, 99),
    doubled=st.booleans(),
)
def test_what_hooks_and_a_sort_find_whatever_the_batches(count, k, batch, levels, seed, doubled):
    net, images = network(), pixels(count, seed, levels)
    if doubled:
        images = torch.cat([images, images.flip(0)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_set, "batch_size", lambda net, total: min(batch, total))
        check(net, images, NEURONS, search(net, images, k=k), k)


def test_ties_go_to_the_earlier_image_and_the_first_unit():
    net = network()
    images = pixels(1).expand(9, -1, -1, -1).clone()
    images[4] = 0
    for result in search(net, images, [(1, channel) for channel in range(4)], k=8):
        order = [n for n in range(9) if n != 4]
        dark = expected(net, images[4:5], 1, result.channel, 1)[0][1]
        bright = expected(net, images[:1], 1, result.channel, 1)[0][1]
        order = [4, *order] if dark > bright else [*order, 4]
        assert result.sources == tuple(map(str, order[:8]))


def test_equal_images_tie_though_the_last_batch_is_smaller():
    net = xw.network("birds")
    images, _ = xw.scenes.draw("birds", [3])
    count = 2 * data_set.batch_size(net, 10**6) + 1
    same = images.expand(count, -1, -1, -1)
    for result in search(net, same, [(13, 7), (1, 0), ("classifier.0", 2)], k=count):
        assert result.sources == tuple(map(str, range(count)))
        assert len(set(result.activations.tolist())) == 1


def test_a_dead_channel_shows_the_first_images():
    net = network()
    net.module[0].weight.data[1] = 0
    net.module[0].bias.data[1] = -1
    [dead] = search(net, pixels(7), [(1, 1)], k=3)
    assert dead.sources == ("0", "1", "2")
    assert dead.activations.tolist() == [0, 0, 0]
    assert dead.fields == (net.layer(1).field_of(0, 0, (HEIGHT, WIDTH)),) * 3


def test_the_result_does_not_depend_on_what_else_is_asked():
    net = xw.network("birds")
    images, _ = xw.scenes.draw("birds", range(70))
    alone = [search(net, images, [neuron])[0] for neuron in [(13, 7), (2, 3)]]
    assert_same(search(net, images, [(13, 7), (2, 3)]), alone)
    assert_same(search(net, images, [(5, 1), (2, 3), (13, 7)])[:0:-1], alone)


def test_negative_values_in_double_precision_without_a_rectifier():
    module = nn.Sequential(conv(3, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten()).double()
    module[0].bias.data -= 10
    net = xw.Network(module, size=(HEIGHT, WIDTH), normalize=(MEAN, STD))
    images = pixels(6)
    [top] = search(net, images, [("0", 2)], k=6)
    values = [
        float(net.watched(x[None], ["0"]).activations["0"][0, 2].detach().max()) for x in images
    ]
    assert top.sources == tuple(str(n) for n in np.argsort(values)[::-1])
    np.testing.assert_allclose(top.activations, sorted(values)[::-1], rtol=1e-6)
    assert max(values) < 0


def test_the_module_is_left_alone():
    net = network()
    with untouched(net.module):
        steps = search_images_steps(net, pixels(5), NEURONS, cache=False)
        next(steps)
        steps.close()
        search(net, pixels(5))


def test_a_partial_search_has_seen_the_first_images(monkeypatch):
    net, images = network(), pixels(10)
    monkeypatch.setattr(data_set, "batch_size", lambda net, total: 4)
    searched = []
    for results in search_images_steps(net, images, NEURONS, 3, cache=False):
        seen = results[0].searched
        searched.append(seen)
        assert {(result.searched, result.total) for result in results} == {(seen, 10)}
        for result, whole in zip(results, search(net, images[:seen], k=3), strict=True):
            assert result.sources == whole.sources
            assert np.array_equal(result.activations, whole.activations)
            assert np.array_equal(result.images, whole.images)
    assert searched == [4, 8, 10]
    assert "4 searched" in repr(next(search_images_steps(net, images, [(1, 1)], cache=False)))


def test_all_images_meet_the_weights_of_the_first(monkeypatch):
    net, images = network(), pixels(10)
    expected = search(net, images)
    monkeypatch.setattr(data_set, "batch_size", lambda net, total: 4)
    steps = search_images_steps(net, images, NEURONS, cache=False)
    next(steps)
    with torch.no_grad():
        for parameter in net.module.parameters():
            parameter.mul_(-2)
    *_, found = steps
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one.activations, other.activations)


def test_closing_cancels_and_nothing_runs_between_steps(passes, monkeypatch, tmp_path):
    net = network()
    monkeypatch.setattr(data_set, "batch_size", lambda net, total: 2)
    steps = search_images_steps(net, pixels(8), NEURONS, cache=tmp_path / "kept")
    assert passes == []
    next(steps)
    next(steps)
    assert passes == [2, 2]
    steps.close()
    assert list(steps) == []
    assert passes == [2, 2]
    assert not (tmp_path / "kept").exists()


def test_a_batch_is_as_large_as_memory_allows():
    large = xw.Network(nn.Sequential(conv(3, 64), nn.ReLU(), conv(64, 64), nn.Flatten(),
                       nn.LazyLinear(2)), size=(224, 224))  # fmt: skip
    large.module(torch.zeros(1, 3, 224, 224))
    units = 64 * (2 * 222**2 + 220**2 * 2) + 2
    assert data_set.batch_size(large, 1000) == data_set._MEMORY // (4 * units)
    assert data_set.batch_size(network(), 50) == 50
    assert data_set.batch_size(large, 1) == 1


# What is kept


def kept(folder):
    return sorted(folder.iterdir()) if folder.exists() else []


def test_a_kept_search_answers_for_every_channel_without_the_network(passes, tmp_path):
    net, images = network(), pixels(9)
    first = search(net, images, cache=tmp_path)
    assert len(kept(tmp_path)) == 3
    assert len(passes) == 1
    assert_same(search(net, images, cache=str(tmp_path)), first)
    others = [(layer, channel) for layer, count in (("0", 4), ("3", 6), ("6", 5))
              for channel in range(count)]  # fmt: skip
    again = search(net, images, others, cache=tmp_path)
    assert len(passes) == 1
    check(net, images, others, again, 5)
    [only] = search_images_steps(net, images, NEURONS, cache=tmp_path)
    assert_same(only, first)
    assert len(passes) == 1


def test_only_layers_that_are_not_kept_are_searched(passes, tmp_path, monkeypatch):
    net, images = network(), pixels(9)
    monkeypatch.setattr(data_set, "batch_size", lambda net, total: 5)
    search(net, images, [(1, 0)], cache=tmp_path)
    asked = []
    watched = xw.Network.watched
    monkeypatch.setattr(xw.Network, "watched", lambda self, pixels, layers, **options: (
        asked.append(layers), watched(self, pixels, layers, **options))[1])  # fmt: skip
    steps = list(search_images_steps(net, images, [(1, 3), (2, 3)], cache=tmp_path))
    assert asked == [["3"], ["3"]]
    assert [[result.searched for result in results] for results in steps] == [[9, 5], [9, 9]]
    check(net, images, [(1, 3), (2, 3)], steps[-1], 5)


def test_the_folder_of_the_user_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setattr(data_set, "user_cache_dir", lambda name: tmp_path / name)
    search(network(), pixels(3), [(1, 0)], cache=True)
    assert len(kept(tmp_path / "xwidgets" / "searches")) == 1
    search(network(), pixels(3), [(2, 0)], cache=False)
    assert len(kept(tmp_path / "xwidgets" / "searches")) == 1


def weights(net, images):
    net.module[0].weight.data[0, 0, 0, 0] += 1


def double(net, images):
    net.module.double()


def stride(net, images):
    net.module[2].stride = 1
    net.module[2].kernel_size = 1
    net.module[5] = nn.Sequential(nn.AdaptiveAvgPool2d((4, 6)), nn.Flatten())


def one_pixel(net, images):
    images[2, 1, 3, 4] = 1 - images[2, 1, 3, 4]


def one_image(net, images):
    images.resize_(7, *images.shape[1:])


@pytest.mark.parametrize("change", [weights, double, stride, one_pixel, one_image])
def test_what_changes_is_searched_again(passes, tmp_path, change):
    net, images = network(), pixels(8)
    search(net, images, [(1, 0)], cache=tmp_path)
    change(net, images)
    again = search(net, images, [(1, 0)], cache=tmp_path)
    assert len(passes) == 2
    assert_same(again, search(net, images, [(1, 0)]))


def test_another_k_or_normalisation_is_searched_again(passes, tmp_path):
    images = pixels(8)
    searches = [
        (network(), 3), (network(), 4), (network(normalize=(MEAN, STD)), 3),
        (network(normalize=(STD, STD)), 3), (network(prepare_size=20), 3),
    ]  # fmt: skip
    found = [search(net, images, [(1, 0)], k, tmp_path)[0] for net, k in searches]
    assert len(passes) == len(kept(tmp_path)) == 5
    assert [len(result.images) for result in found] == [3, 4, 3, 3, 3]


def test_images_in_a_list_are_searched_anew(passes, tmp_path):
    net, images = network(), list(pixels(4))
    assert_same(search(net, images, cache=tmp_path), search(net, images, cache=tmp_path))
    assert len(passes) == 2
    assert kept(tmp_path) == []


def test_every_damage_of_a_kept_file_is_noticed_or_harmless(tmp_path):
    net, images = network(), pixels(6)
    first = search(net, images, [(1, 0)], cache=tmp_path)
    [path] = kept(tmp_path)
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), 97)]
    for at in range(0, len(whole), 41):
        damaged.append(whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1 :])
    mended = 0
    for content in [b"", b"text", *damaged]:
        path.write_bytes(content)
        assert_same(search(net, images, [(1, 0)], cache=tmp_path), first)
        assert kept(tmp_path) == [path]
        mended += path.read_bytes() != content
    assert mended > len(damaged) / 2


def test_a_crash_while_writing_leaves_what_was_there(tmp_path, monkeypatch):
    net = network()
    search(net, pixels(4), [(1, 0)], cache=tmp_path)
    before = {path: path.read_bytes() for path in kept(tmp_path)}

    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        search(net, pixels(5), [(1, 0)], cache=tmp_path)
    assert {path: path.read_bytes() for path in kept(tmp_path)} == before


def test_where_nothing_can_be_kept_it_is_still_found(tmp_path):
    (tmp_path / "file").write_text("")
    net = network()
    with pytest.warns(UserWarning, match=r"cannot be kept: '.*searches' could .*; give") as caught:
        found = search(net, pixels(4), cache=tmp_path / "file" / "searches")
    assert [warning.filename for warning in caught] == [__file__]
    assert_same(found, search(net, pixels(4)))


# Files


@pytest.fixture
def folder(tmp_path):
    for number, image in enumerate(pixels(6)):
        path = tmp_path / "pictures" / f"{'ab'[number % 2]}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(image)).save(path)
    return tmp_path / "pictures"


def pictures(folder):
    return sorted(folder.rglob("*.png"))


def test_every_kind_of_data_set_gives_the_same_images(folder):
    net = network()
    paths = pictures(folder)
    read = [xw.photo(path) for path in paths]
    scenes = [Photograph(path, 1, ()) for path in paths]
    first = search(net, torch.stack(read))
    for images in (folder, paths, scenes, read, torch.stack(read).numpy(),
                   [Image.open(path) for path in paths], [(image, 1) for image in read],
                   torch.utils.data.TensorDataset(torch.stack(read), torch.zeros(6))):  # fmt: skip
        for result, other in zip(search(net, images), first, strict=True):
            assert np.array_equal(result.activations, other.activations)
            assert np.array_equal(result.images, other.images)
            assert result.fields == other.fields
    names = [path.relative_to(folder).as_posix() for path in paths]
    for result, other in zip(search(net, str(folder)), first, strict=True):
        assert result.sources == tuple(names[int(number)] for number in other.sources)


def test_pictures_of_another_size_are_prepared(tmp_path):
    net = network(prepare_size=14)
    large = torch.rand(3, 40, 50, generator=torch.Generator().manual_seed(1))
    images = [pixels(1)[0], large, pixels(2)[1]]
    [top] = search(net, images, [(1, 0)], k=3)
    for source, shown in zip(top.sources, top.images, strict=True):
        image = images[int(source)]
        assert np.array_equal(shown, picture(net.prepare(large) if image is large else image))
    assert "1" in top.sources


def test_a_changed_file_is_searched_again(passes, folder, tmp_path):
    net = network()
    cache = tmp_path / "kept"
    search(net, folder, [(1, 0)], cache=cache)
    search(net, folder, [(1, 0)], cache=cache)
    assert len(passes) == 1
    Image.fromarray(picture(torch.ones(3, HEIGHT, WIDTH))).save(pictures(folder)[2])
    again = search(net, folder, [(1, 0)], cache=cache)
    assert len(passes) == 2
    assert_same(again, search(net, folder, [(1, 0)]))


@pytest.mark.parametrize("batch", [1, 2, 3, 6])
@pytest.mark.parametrize("broken", [[0], [5], [1, 2], [0, 1, 2, 3], [3, 4, 5], [0, 1, 2, 4, 5]])
def test_unreadable_pictures_are_skipped_and_named(folder, monkeypatch, tmp_path, batch, broken):
    net = network()
    monkeypatch.setattr(data_set, "batch_size", lambda net, total: batch)
    paths = pictures(folder)
    names = [path.relative_to(folder).as_posix() for path in paths]
    good = [path for number, path in enumerate(paths) if number not in broken]
    for number in broken:
        paths[number].write_bytes(paths[number].read_bytes()[:50])
    warning = f"{len(broken)} of 6 pictures cannot be read and were skipped: {names[broken[0]]}"
    for _ in range(2):  # the second is answered from what was kept
        with pytest.warns(UserWarning, match=warning) as caught:
            results = search(net, folder, cache=tmp_path / "kept")
        files = [one.filename for one in caught if one.category is UserWarning]
        assert files == [__file__]
        for result, other in zip(results, search(net, good), strict=True):
            assert np.array_equal(result.activations, other.activations)
            assert np.array_equal(result.images, other.images)
            assert result.skipped == tuple(names[number] for number in broken)
            assert (result.searched, result.total) == (6, 6)


@pytest.mark.filterwarnings("ignore:1 of 6 pictures")
def test_a_file_that_can_be_read_again_or_no_more_is_searched_again(folder, passes, tmp_path):
    net, cache = network(), tmp_path / "kept"
    path = pictures(folder)[4]
    whole, facts = path.read_bytes(), path.stat()

    def write(content):
        path.write_bytes(content)
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))

    first = search(net, folder, k=6, cache=cache)
    write(b"?" * len(whole))
    assert [result.skipped for result in search(net, folder, k=6, cache=cache)] == [
        ("b/3.png",)
    ] * 5
    write(whole)
    assert_same(search(net, folder, k=6, cache=cache), first)
    assert len(passes) == 3


def test_when_nothing_can_be_read_it_says_so(folder):
    for path in pictures(folder):
        path.write_text("no picture")
    with pytest.raises(
        ValueError, match=r"none of the 6 pictures can be read \(a/0.png, .* \.\.\.\)"
    ):
        search(network(), folder)


# What cannot be


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"net": nn.ReLU()}, "net is a ReLU, but must be an xw.Network"),
        ({"images": []}, "the data set is empty"),
        ({"images": "nowhere"}, "no folder 'nowhere'"),
        ({"k": 0}, "k is 0, but must be a whole number of at least 1"),
        ({"k": 2.5}, "k is 2.5, but"),
        ({"neurons": []}, "neurons is empty; give pairs"),
        ({"neurons": ["0"]}, "neuron '0' is no pair of a layer and a channel"),
        ({"neurons": [(1, 2, 3)]}, "is no pair"),
        ({"neurons": [("features", 0)]}, "unknown layer 'features'"),
        ({"neurons": [(3, 0)]}, "there is no convolution 3: small has 1 to 2"),
        ({"neurons": [(1, 4)]}, "channel 4 does not exist: layer '0' has channels 0 to 3"),
        ({"neurons": [("6", 5)]}, "channel 5 does not exist"),
        ({"cache": 3}, "cache is 3, but must be True, False or a folder"),
        ({"cache": __file__}, "cache is '.*', but must be True, False or a folder"),
    ],
)
@pytest.mark.parametrize("function", [search_images, search_images_steps])
def test_what_cannot_be_is_said_at_once(function, changes, sentence):
    arguments = {"net": network(), "images": pixels(3), "neurons": NEURONS, "cache": False}
    with pytest.raises(ValueError, match=sentence) as caught:
        function(**(arguments | changes))
    assert "\n" not in str(caught.value)


def test_a_layer_without_channels_is_refused():
    class Words(nn.Module):
        def forward(self, x):
            return x.flatten(2).transpose(1, 2)

    module = nn.Sequential(conv(3, 4), Words(), nn.Flatten(), nn.Linear(4 * 10 * 14, 2))
    net = xw.Network(module, size=(HEIGHT, WIDTH))
    with pytest.raises(ValueError, match=r"layer '1' puts out \(140, 4\) and has no channels"):
        search(net, pixels(2), [("1", 0)])


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        (pixels(1)[0] * 2 - 1, r"image 1 of the data set: pixels must lie in \[0, 1\]"),
        (pixels(1)[0][:1], "image 1 of the data set: .* 1 channels where the network takes 3"),
        (torch.rand(1, 40, 40), "image 1 of the data set: .* 1 channels where"),
        (pixels(2), "image 1 of the data set: its shape is"),
        (None, "image 1 of the data set: a photo comes from"),
    ],
)
def test_an_item_that_is_no_image_is_named(item, sentence):
    with pytest.raises(ValueError, match=sentence):
        search(network(), [pixels(1)[0], item])


def test_values_that_are_not_finite_are_refused():
    net = network()
    net.module[0].bias.data[1] = torch.nan
    with pytest.raises(ValueError, match="not all finite; check its weights"):
        search(net, pixels(2), [(1, 0)])


def test_infinite_values_that_do_not_reach_the_output_are_refused():
    class Tame(nn.Module):
        def forward(self, x):
            return torch.atan(x)

    net = xw.Network(
        nn.Sequential(conv(3, 4), Tame(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        size=(HEIGHT, WIDTH), name="small",
    )  # fmt: skip
    net.module[0].bias.data[1] = torch.inf
    assert net(pixels(1)).isfinite().all()
    with pytest.raises(ValueError, match="layer '0' of small are not all finite"):
        search(net, pixels(2), [(1, 0)])


# What is shown


def test_progress_goes_to_stderr(capsys):
    search_images(network(), pixels(4), [(1, 0)], cache=False)
    shown = capsys.readouterr()
    assert "4/4" in shown.err
    assert shown.out == ""
    search(network(), pixels(4), [(1, 0)])
    assert capsys.readouterr().err == ""


def test_a_result_survives_a_file_and_is_a_picture(tmp_path):
    [top] = search(network(), pixels(4), [(2, 1)], k=3)
    top.save(tmp_path / "top.npz")
    assert_same([xw.results.TopImages.load(tmp_path / "top.npz")], [top])
    assert top._repr_png_() == top.png()
    top_image = Image.open(io.BytesIO(top.png()))
    assert top_image.size == (3 * WIDTH, HEIGHT)
    shown = np.asarray(top_image)[:, WIDTH : 2 * WIDTH]
    assert np.array_equal(shown[top.fields[1].slices], top.crops[1])
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[top.fields[1].slices] = False
    assert outside.any()
    assert np.array_equal(shown[outside], top.images[1][outside] // 3)


def test_squeezenet_on_photographs_agrees_with_hooks(monkeypatch, tmp_path):
    if not (REAL / "torch").is_dir() or not (REAL / "imagenet").is_dir():
        pytest.skip("needs torch/ (weights) and imagenet/ (photographs) in $XWIDGETS_REAL")
    monkeypatch.setenv("TORCH_HOME", str(REAL / "torch"))
    net = xw.network("squeezenet1_1")
    with open(REAL / "imagenet" / "labels.csv", newline="") as file:
        names = [row["file"] for row in csv.DictReader(file)][:20]
    paths = [REAL / "imagenet" / name for name in names]
    rectified = {
        "features.0": "features.1",
        "features.12.expand3x3": "features.12.expand3x3_activation",
    }
    maps = {name: [] for name in rectified}
    modules = dict(net.module.named_modules())
    hooks = [
        modules[behind].register_forward_hook(
            lambda _, inputs, output, name=name: maps[name].append(output[0].clone())
        )
        for name, behind in rectified.items()
    ]
    for path in paths:
        net(net.prepare(path)[None])
    for hook in hooks:
        hook.remove()
    neurons = [("features.0", 5), ("features.12.expand3x3", 40), ("features.12.expand3x3", 200)]
    found = search(net, paths, neurons, cache=tmp_path)
    for result, (layer, channel) in zip(found, neurons, strict=True):
        values = np.array([float(one[channel].max()) for one in maps[layer]])
        order = np.argsort(-values, kind="stable")[:5]
        assert result.sources == tuple(paths[number].as_posix() for number in order)
        np.testing.assert_allclose(result.activations, values[order], rtol=1e-4)
        for field, number in zip(result.fields, order, strict=True):
            place = divmod(int(maps[layer][number][channel].argmax()), maps[layer][number].shape[2])
            assert field == net.layer(layer).field_of(*place, net.size)
    assert_same(search(net, paths, neurons, cache=tmp_path), found)


class Turned(nn.Module):
    """What forward() does with the pixels stands in no weight and in no name of a layer."""

    def __init__(self, turned):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.turned = turned

    def forward(self, x):
        return self.conv(1 - x if self.turned else x).relu().mean((2, 3))


def test_another_forward_with_the_same_weights_is_searched_anew(tmp_path):
    images = torch.rand(9, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    found = []
    for turned in (False, True):
        torch.manual_seed(0)
        net = xw.Network(Turned(turned), size=(8, 8))
        for cache in (tmp_path, False):
            [top] = xw.search_images(net, images, [(1, 2)], cache=cache, progress=False)
            found.append(top.sources)
    assert found[0] == found[1] != found[2] == found[3]


# Classes, units and x-features


def largest(values, k):
    """Numbers and values of the largest, of equal ones the earlier first."""
    order = sorted(range(len(values)), key=lambda number: (-values[number], number))[:k]
    return order, [values[number] for number in order]


def test_classes_are_searched_for_by_their_scores(tmp_path):
    net, images = network(classes=["ant", "bee"]), pixels(17)
    scores = torch.cat([net(image[None]) for image in images])
    for name, target in [("ant", 0), ("bee", "bee"), ("bee", xw.networks.target.Class(1))]:
        [top] = search_images(net, images, [target], k=4, cache=tmp_path, progress=False)
        numbers, values = largest(scores[:, net.classes.index(name)].tolist(), 4)
        assert top.sources == tuple(map(str, numbers))
        np.testing.assert_allclose(top.activations, values, rtol=1e-6)
        assert top.fields == (Box(0, 0, HEIGHT, WIDTH),) * 4
        assert (top.layer, top.label) == ("", name)
        assert f"4 for {name} (small)" in repr(top)
    assert len(list(tmp_path.iterdir())) == 1, "one file for all classes"


def test_a_unit_is_searched_for_at_its_place():
    net, images = network(), pixels(17)
    [top] = search_images(net, images, [xw.Unit("0", 2, 3, 5)], k=4, cache=False, progress=False)
    values = [float(net.module[:2](image[None])[0, 2, 3, 5].detach()) for image in images]
    numbers, values = largest(values, 4)
    assert top.sources == tuple(map(str, numbers))
    np.testing.assert_allclose(top.activations, values)
    assert top.fields == (net.layer("0").field_of(3, 5, (HEIGHT, WIDTH)),) * 4
    assert top.label == "0, channel 2, row 3, column 5"


def test_x_features_are_searched_for_as_directions_of_their_layer():
    net, images = network(), pixels(24)
    module = xw.fit_explanation(
        net, images, 0, layer="6", features=2, hidden=(4, 3), epochs=1, progress=False
    )
    tops = search_images(net, images, [(module, 1), (module, 0), ("6", 1)], k=5, progress=False)
    features = torch.cat([net.module[:8](image[None]) for image in images])
    activations = module.encoder(features).detach()
    for top, index in zip(tops, (1, 0), strict=False):
        numbers, values = largest(activations[:, index].tolist(), 5)
        np.testing.assert_allclose(top.activations, values, rtol=1e-5)
        assert top.sources == tuple(map(str, numbers))
        assert (top.layer, top.channel) == ("6", index)
        assert top.label == f"x-feature {index} of class 0"
    assert tops[2].label == ""
    with pytest.raises(ValueError, match="x-feature 2 does not exist: the module for 'class 0'"):
        search_images(net, images, [(module, 2)], progress=False)


@pytest.mark.parametrize(
    ("searched", "match"),
    [
        (5, "class 5 does not exist"),
        ("wren", "wren"),
        (xw.Channel("0", None), "no channel of all images; give its number"),
        (xw.Unit("0", 2, 99, 0), "row 99 does not exist"),
    ],
)
def test_what_cannot_be_searched_for_is_told(searched, match):
    with pytest.raises(ValueError, match=match):
        search_images(network(), pixels(3), [searched], progress=False)
