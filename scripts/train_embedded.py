"""Train the embedded networks and write their checkpoints: some ten minutes each on one core.

Half of the training scenes lack a part, so that a scene redrawn without one is nothing new to the
network. What is measured is the float16 file, on fresh complete scenes.

    python scripts/train_embedded.py [birds] [street]
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import trange

from xwidgets.images import scenes
from xwidgets.networks import thin_vgg
from xwidgets.networks.thin_vgg import Facts, ThinVGG
from xwidgets.networks.training import MEAN, STD, train

WEIGHTS = Path(thin_vgg.__file__).parent / "weights"
SEED = 0
SCENES = 10_000
TESTS = 2_000
TRAINING_SEEDS = range(1_000_000, 1_000_000 + SCENES)
TEST_SEEDS = range(2_000_000, 2_000_000 + TESTS)
EPOCHS = 8


def draw(kind: str, seeds: range, incomplete: float) -> tuple[Tensor, Tensor]:
    """Draw scenes as uint8 images, which take a quarter of the memory."""
    images, labels = [], []
    for start in trange(seeds.start, seeds.stop, 500, desc=f"draw {kind}"):
        chunk = range(start, min(start + 500, seeds.stop))
        drawn, label = scenes.draw(kind, chunk, incomplete=incomplete)
        images.append((drawn * 255).round().byte())
        labels.append(label)
    return torch.cat(images), torch.cat(labels)


def normalized(images: Tensor, facts: Facts) -> Tensor:
    mean, std = (torch.tensor(v)[:, None, None] for v in (facts.mean, facts.std))
    return (images.float() / 255 - mean) / std


@torch.no_grad()
def logits(module: nn.Module, images: Tensor, facts: Facts) -> Tensor:
    return torch.cat([module(normalized(batch, facts)) for batch in images.split(250)])


def report_parts(kind: str, module: ThinVGG, facts: Facts) -> None:
    """Print how much redrawing a scene without each part lowers the logit of its class."""
    drops: dict[str, list[float]] = {}
    for seed in TEST_SEEDS[:200]:
        scene = scenes.bird(seed) if kind == "birds" else scenes.street(seed, person=True)
        versions = [scene, *(scene.without(part) for part in scene.removable)]
        images = torch.stack([(s.image * 255).round() for s in versions])
        scores = logits(module, images, facts)[:, scene.label]
        for part, drop in zip(scene.removable, (scores[0] - scores[1:]).tolist(), strict=True):
            drops.setdefault(part.removeprefix("left ").removeprefix("right "), []).append(drop)
    for part, values in sorted(drops.items()):
        lower = np.mean(np.array(values) > 0)
        print(
            f"  without {part:7s} logit lower by {np.mean(values):6.2f}, in {lower:4.0%} of scenes"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(scenes.CLASSES))
    WEIGHTS.mkdir(exist_ok=True)
    for kind in parser.parse_args().kinds:
        began = time.time()
        facts = Facts(
            kind=kind,
            classes=scenes.CLASSES[kind],
            size=(64, 64),
            mean=MEAN,
            std=STD,
            accuracy=0.0,
            tests=TESTS,
            seed=SEED,
        )
        images, labels = draw(kind, TRAINING_SEEDS, incomplete=0.5)
        [last] = train(
            images, labels, facts.classes, epochs=EPOCHS, at=[EPOCHS], seed=SEED, name=kind
        )
        plain = last.network.module

        path = WEIGHTS / f"{kind}.safetensors"
        thin_vgg.save(path, plain, facts)
        shipped, _ = thin_vgg.load(path)
        images, labels = draw(kind, TEST_SEEDS, incomplete=0.0)
        right = logits(shipped, images, facts).argmax(1) == labels
        facts = replace(facts, accuracy=right.float().mean().item())
        thin_vgg.save(path, plain, facts)

        minutes = (time.time() - began) / 60
        size = path.stat().st_size / 1e6
        print(f"{kind}: accuracy {facts.accuracy:.2%} on {TESTS} fresh scenes, ", end="")
        print(f"{size:.2f} MB, {minutes:.1f} minutes")
        report_parts(kind, shipped, facts)


if __name__ == "__main__":
    main()
