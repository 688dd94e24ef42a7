"""``xwidgets networks`` and ``xwidgets methods`` list what there is."""

from pathlib import Path
from typing import Any

import pytest
import torch

import xwidgets as xw
from xwidgets.commands import main
from xwidgets.commands.lists import methods
from xwidgets.networks import zoo


def test_methods_are_told_with_question_unit_and_cost(capsys: Any) -> None:
    assert main(["methods"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for name, kind in methods().items():
        method = kind()
        assert f"{name}, in {method.unit} {method.asks} {method.cost}" in told


def test_networks_are_all_that_can_be_asked_for(
    capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "squeezenet1_1-b8a52dc0.pth").touch()
    assert main(["networks"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line for line in lines}
    assert head.split() == ["network", "classes", "pixels", "weights"]
    assert list(rows) == ["birds", "street", *zoo.torchvision_classifiers()]
    birds = xw.network("birds")
    assert f" {len(birds.classes)} " in rows["birds"]
    assert f" {birds.size[0]} x {birds.size[1]} " in rows["birds"]
    assert rows["birds"].endswith("part of xwidgets")
    assert rows["squeezenet1_1"].split("  ")[-1].strip() == "here"
    assert rows["resnet18"].endswith(" 45 MB to download")
    assert " 1000 " in rows["resnet18"]
    assert " 224 x 224 " in rows["resnet18"]


@pytest.mark.parametrize("command", ["networks", "methods"])
def test_they_take_no_words(command: str, capsys: Any) -> None:
    assert main([command, "birds"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
