"""Files of modules, samplers and tables in which one thing was changed: refused in a sentence."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import xwidgets as xw
from tests.results.test_changed_files import WRONG, loaded, show
from tests.usual import arguments, explanation_module, network

Tensors = dict[str, torch.Tensor]


def read(path: Path) -> tuple[Tensors, dict[str, str]]:
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def changed(values: torch.Tensor) -> Iterator[torch.Tensor]:
    """Wrong tensors in the place of one."""
    yield values[None].clone()
    yield values.reshape(-1)[:1].clone()
    yield values.reshape(-1)[:0].clone()
    yield torch.cat([values.reshape(-1)] * 2)
    if values.ndim:
        yield values[1:].clone()
        yield values.transpose(0, -1).contiguous()
    for kind in (torch.float16, torch.float64, torch.int32, torch.bool):
        if kind != values.dtype:
            yield values.to(kind)
    yield torch.full_like(values, -7)
    yield torch.full_like(values, 10**6)
    if values.is_floating_point():
        yield torch.full_like(values, torch.nan)
        yield torch.full_like(values, torch.inf)


def files(path: Path, facts: str | None) -> Iterator[str]:
    """Write a file in turn with each fact, and with each tensor, changed; yields what was done."""
    tensors, metadata = read(path)
    told = metadata if facts is None else json.loads(metadata[facts])

    def write(tensors: Tensors, told: Any) -> None:
        text = told if facts is None else {facts: json.dumps(told)}
        save_file(tensors, path, text)

    for fact in told:
        for value in WRONG:
            if json.dumps(value) != json.dumps(told[fact]):
                write(tensors, told | {fact: json.dumps(value) if facts is None else value})
                yield f"{fact} = {value!r}"
        write(tensors, {other: told[other] for other in told if other != fact})
        yield f"without {fact}"
    for name, values in tensors.items():
        for other in changed(values):
            write(tensors | {name: other}, told)
            yield f"{name} = {other.dtype} {tuple(other.shape)}"
        write({other: tensors[other] for other in tensors if other != name}, told)
        yield f"without {name}"


def use_module(module: xw.ExplanationModule) -> None:
    repr(module), module.fingerprint
    x_features = xw.x_features(network(), module, arguments()["image"])
    x_features.png(), repr(x_features)


def use_network(net: xw.Network) -> None:
    repr(net), net.top(arguments()["image"])
    show(xw.class_activation_map(net, arguments()["image"]), Path("page.html"))


def use_sampler(sampler: xw.ConditionalSampler) -> None:
    repr(sampler)
    xw.prediction_difference(
        network(), arguments()["image"], window=2, stride=2, samples=1, sampler=sampler
    )


def pooled(path: Path) -> Any:
    return xw.PooledNetwork.load(path, network())


def made(name: str, path: Path) -> tuple[Callable[[Path], Any], Callable[[Any], None], str | None]:
    """Write a file; returns what loads it, what uses what it holds, and the name of its facts."""
    images = arguments()["images"]
    if name == "module":
        explanation_module().save(path)
        return xw.ExplanationModule.load, use_module, "explanation_module"
    if name == "lasso":
        xw.fit_explanation(
            network(), images, explanation_module().facts.target, layer="4", method="lasso",
            features=3, cache=False, progress=False,
        ).save(path)  # fmt: skip
        return xw.ExplanationModule.load, use_module, "explanation_module"
    if name == "pooled":
        xw.pooled_network(
            network(), images, arguments()["labels"], epochs=2, progress=False
        ).save(path)  # fmt: skip
        return pooled, use_network, "pooled_network"
    xw.ConditionalSampler.fit(images, 2, 1, patches=200).save(path)
    return xw.ConditionalSampler.load, use_sampler, None


@pytest.mark.filterwarnings("ignore::UserWarning", "error::RuntimeWarning")
@pytest.mark.parametrize("name", ["module", "lasso", "pooled", "sampler"])
def test_a_changed_file_is_refused_in_a_sentence_or_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "changed.safetensors"
    load, use, facts = made(name, path)
    use(load(path))
    raw, refused, used = [], 0, 0
    for change in files(path, facts):
        again, fault = loaded(load, path)
        if again is None:
            refused += 1
            raw += [f"{change}: {fault}"] if fault else []
            continue
        used += 1
        try:
            use(again)
        except ValueError as error:  # such as of another network
            if "\n" in str(error):
                raw.append(f"{change}, when used: {error}")
        except Exception as error:
            raw.append(f"{change}, when used: {error!r}")
    print(f"{name}: {refused} refused, {used} used, {len(raw)} raw")
    assert not raw, "\n".join(raw)
    assert refused > used
