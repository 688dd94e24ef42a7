from importlib.resources import files
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from xwidgets.images import scenes
from xwidgets.networks import thin_vgg
from xwidgets.networks.thin_vgg import ThinVGG

WEIGHTS = Path(str(files("xwidgets.networks"))) / "weights"
KINDS = pytest.mark.parametrize("kind", ["birds", "street"])
FRESH = range(3_000_000, 3_000_200)


@KINDS
def test_accuracy_on_fresh_scenes(kind: str) -> None:
    module, facts = thin_vgg.load(WEIGHTS / f"{kind}.safetensors")
    images, labels = scenes.draw(kind, FRESH)
    mean, std = (torch.tensor(v)[:, None, None] for v in (facts.mean, facts.std))
    with torch.no_grad():
        right = module((images - mean) / std).argmax(1) == labels
    assert right.float().mean() >= 0.97
    assert facts.accuracy >= 0.97
    assert facts.classes == scenes.CLASSES[kind]
    assert (facts.kind, facts.size) == (kind, (64, 64))


def test_checkpoints_are_small() -> None:
    sizes = [(WEIGHTS / f"{kind}.safetensors").stat().st_size for kind in scenes.CLASSES]
    assert max(sizes) < 2.5e6
    assert sum(sizes) < 5e6


@KINDS
def test_a_loaded_network_is_plain_float32_in_evaluation_mode(kind: str) -> None:
    module, _ = thin_vgg.load(WEIGHTS / f"{kind}.safetensors")
    assert not module.training
    assert {p.dtype for p in module.parameters()} == {torch.float32}
    kinds = [type(layer) for layer in module.features]
    assert kinds.count(nn.Conv2d) == kinds.count(nn.ReLU) == 13
    assert kinds.count(nn.MaxPool2d) == 5
    assert len(kinds) == 31
    rectifiers = [m for m in module.modules() if isinstance(m, nn.ReLU)]
    assert len(rectifiers) == len({id(m) for m in rectifiers}) == 15
    assert not any(m.inplace for m in rectifiers)


def test_layers_are_named_like_torchvision_vgg16() -> None:
    vgg16 = pytest.importorskip("torchvision").models.vgg16()
    assert list(ThinVGG(2).state_dict()) == list(vgg16.state_dict())
    thin = [m.out_channels for m in ThinVGG(2).features if isinstance(m, nn.Conv2d)]
    full = [m.out_channels for m in vgg16.features if isinstance(m, nn.Conv2d)]
    assert [4 * width for width in thin] == full


def test_saving_keeps_weights_and_facts(tmp_path: Path) -> None:
    module, facts = thin_vgg.load(WEIGHTS / "birds.safetensors")
    thin_vgg.save(tmp_path / "copy.safetensors", module, facts)
    copy, copied = thin_vgg.load(tmp_path / "copy.safetensors")
    assert copied == facts
    for name, value in copy.state_dict().items():
        assert torch.equal(value, module.state_dict()[name])


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    intact = (WEIGHTS / "birds.safetensors").read_bytes()
    flipped = bytearray(intact)
    flipped[-1000] ^= 1
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    damaged = {
        "empty": b"",
        "text": b"<html>404 not found</html>",
        "short": intact[:-1],
        "header": intact[:100],
        "flipped": bytes(flipped),
        "foreign": (tmp_path / "other.safetensors").read_bytes(),
    }
    for name, content in damaged.items():
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name}\.safetensors.*re-install xwidgets"):
            thin_vgg.load(path)
