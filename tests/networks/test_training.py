"""Training against a plain loop, and what it must leave alone."""

import pytest
import torch
from torch import nn

from xwidgets.networks.thin_vgg import ThinVGG
from xwidgets.networks.training import folded, train

NAMES = ("dark", "light")


@pytest.fixture(scope="module")
def data() -> tuple[torch.Tensor, torch.Tensor]:
    """Noise, darker in one class than in the other."""
    rng = torch.Generator().manual_seed(1)
    labels = torch.arange(150) % 2
    images = 0.5 * torch.rand(150, 3, 32, 32, generator=rng) + 0.5 * labels[:, None, None, None]
    return (images * 255).round().byte(), labels


def weights(network) -> torch.Tensor:
    return nn.utils.parameters_to_vector(network.module.parameters())


@pytest.fixture(scope="module")
def checkpoints(data):
    return list(train(*data, NAMES, epochs=3, at=[3, 0, 0.6, 1], seed=3))


def test_training_is_a_plain_loop(data, checkpoints) -> None:
    images, labels = data
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = ThinVGG(2, batch_norm=True)
        optimizer = torch.optim.AdamW(module.parameters(), 3e-3, weight_decay=0.02)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, 6, pct_start=0.25)
        for _ in range(3):
            order = torch.randperm(150)
            for some in (order[:64], order[64:128]):
                loss = nn.functional.cross_entropy(
                    module((images[some].float() / 255 - 0.5) / 0.25), labels[some]
                )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
    with torch.no_grad():
        expected = module.eval()((images.float() / 255 - 0.5) / 0.25)
    torch.testing.assert_close(
        checkpoints[-1].network(images.float() / 255), expected, atol=1e-4, rtol=1e-4
    )


def test_it_is_looked_at_in_order_at_whole_batches(checkpoints) -> None:
    assert [epoch for epoch, _ in checkpoints] == [0, 0.5, 1, 3]


def test_checkpoints_are_networks_of_the_images(checkpoints) -> None:
    network = checkpoints[1].network
    assert network.size == (32, 32)
    assert network.classes == NAMES
    assert not any(isinstance(child, nn.BatchNorm2d) for child in network.module.modules())
    assert not network.module.training


def test_a_checkpoint_stays_as_it_is(data) -> None:
    growing = train(data[0][:64], data[1][:64], NAMES, epochs=1, at=[0, 1])
    _, before = next(growing)
    kept = weights(before).clone()
    _, after = next(growing)
    assert torch.equal(weights(before), kept)
    assert not torch.equal(weights(after), kept)


def test_it_learns(data) -> None:
    images, labels = data
    images, labels = images[:64], labels[:64]
    [(_, before), (_, after)] = train(images, labels, NAMES, epochs=16, at=[0, 12])
    right = [
        (network(images.float() / 255).argmax(1) == labels).double().mean()
        for network in (before, after)
    ]
    assert right[0] < 0.8
    assert right[1] > 0.95


@pytest.mark.parametrize("epochs", [1, 4])
def test_the_shortest_trainings_end(epochs: int) -> None:
    images, labels = torch.rand(64, 3, 32, 32), torch.zeros(64).long()
    [(epoch, _)] = train(images, labels, NAMES, epochs=epochs, at=[epochs])
    assert epoch == epochs


def test_only_the_seed_decides(data, checkpoints) -> None:
    torch.manual_seed(123)
    again = []
    for _, network in train(*data, NAMES, epochs=3, at=[0, 2, 3], seed=3):
        torch.rand(7)  # what others draw in between
        again.append(weights(network))
    assert torch.equal(again[-1], weights(checkpoints[-1].network))
    [(_, other)] = train(*data, NAMES, epochs=2, at=[0], seed=4)
    assert not torch.equal(weights(other), again[0])


def test_the_callers_random_numbers_stay(data) -> None:
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    list(train(data[0][:64], data[1][:64], NAMES, epochs=1))
    assert torch.equal(torch.rand(4), expected)


def test_8_bit_images_are_the_same_as_floats(data) -> None:
    images, labels = data
    [(_, network)] = train(images[:64].float() / 255, labels[:64], NAMES, epochs=1, at=[1])
    [(_, same)] = train(images[:64], labels[:64], NAMES, epochs=1, at=[1])
    assert torch.equal(weights(network), weights(same))


def test_before_the_end_batch_norm_has_the_statistics_of_the_images(data) -> None:
    images, _ = data
    images = images[:128]
    [(_, network)] = train(images, data[1][:128], NAMES, epochs=1, at=[0])
    with torch.no_grad():
        maps = network.module.features[0]((images.float() / 255 - 0.5) / 0.25)
    torch.testing.assert_close(maps.mean((0, 2, 3)), torch.zeros(16), atol=1e-3, rtol=0)
    torch.testing.assert_close(maps.std((0, 2, 3)), torch.ones(16), atol=0.02, rtol=0)


def test_folding_changes_no_logit() -> None:
    torch.manual_seed(0)
    module = ThinVGG(3, batch_norm=True)
    for layer in module.features:
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.running_var, layer.weight.data):
                values.uniform_(0.5, 2)
            for values in (layer.running_mean, layer.bias.data):
                values.uniform_(-1, 1)
    x = torch.randn(2, 3, 64, 64)
    plain = folded(module)
    assert module.training
    module.eval()
    torch.testing.assert_close(plain(x), module(x), atol=1e-4, rtol=1e-4)
    assert plain.state_dict().keys() == ThinVGG(3).state_dict().keys()


@pytest.mark.parametrize(
    ("count", "labels", "options", "message"),
    [
        (63, 63, {}, "give at least 64"),
        (64, 65, {}, "as many labels as images"),
        (64, 64, {"epochs": 0}, "epochs is 0"),
        (64, 64, {"at": [2.5], "epochs": 2}, "from epoch 0 to 2"),
    ],
)
def test_what_cannot_be_is_refused_at_once(count, labels, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        train(torch.rand(count, 3, 32, 32), torch.zeros(labels).long(), NAMES, **options)


def test_a_label_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="labels must be 0 to 1"):
        train(torch.rand(64, 3, 32, 32), torch.full((64,), 2), NAMES)
