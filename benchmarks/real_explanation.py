"""x-features of a real network and photographs: what makes SqueezeNet 1.1 see a dog?

    XWIDGETS_REAL=folder python -m benchmarks.real_explanation [--seeds 3] [--pictures FOLDER]

The folder holds ``torch/`` (the weights, as torch.hub keeps them) and ``imagenet/`` (photographs,
and labels.csv with the columns file and index). ImageNet's 118 breeds against all other classes:
the score of dogs is that of the breed with the highest score. Two thirds of the photographs, also
mirrored, are fitted to; the others are measured on, F_reg in standard deviations of the score too
(f_share). The parts of dogs are not known, so there is no locality.
"""

import argparse
import csv
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

import xwidgets as xw
from xwidgets.files import whole
from xwidgets.reproduce.qi2018 import GAMMAS, heat_maps, heat_maps_of_score, measures

REAL = Path(os.environ.get("XWIDGETS_REAL", Path(__file__).parents[2] / "shared" / "real"))
BREEDS = range(151, 269)
DOG = 1
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
METHODS = ("srae", "nn", "sae", "cae", "lasso")
MEASURES = ("f_reg", "f_share", "f_cls", "o1", "o2", "correlation", "alike", "o1_all", "o2_all",
            "correlation_all", "alike_all", "ever", "positive", "silent")  # fmt: skip
EXCITATION = {"c-MWP": True, "excitation backprop": False}
SHOWN = 4


class Groups(nn.Module):
    """A classifier of two groups of the classes of another: the highest score of each."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.breeds = slice(BREEDS.start, BREEDS.stop)

    def forward(self, images: Tensor) -> Tensor:
        scores = self.module(images)
        others = torch.cat([scores[:, : BREEDS.start], scores[:, BREEDS.stop :]], 1)
        return torch.stack([others.amax(1), scores[:, self.breeds].amax(1)], 1)


class Photograph:
    """A photograph as a case whose parts are not known."""

    def __init__(self, image: Tensor, label: int) -> None:
        self.image, self.label = image, label

    def parts(self) -> dict[str, np.ndarray]:
        return {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pictures", type=Path, help="where to put some heat maps as PNG files")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message=r"\d+ images are fewer than")
    os.environ.setdefault("TORCH_HOME", str(REAL / "torch"))
    squeezenet = xw.network("squeezenet1_1")
    with open(REAL / "imagenet" / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    photographs = [
        Photograph(squeezenet.prepare(REAL / "imagenet" / row["file"]), int(row["index"]) in BREEDS)
        for row in tqdm(rows, desc="photographs", leave=False)
    ]
    net = xw.Network(
        Groups(squeezenet.module),
        normalize=(MEAN, STD),
        size=squeezenet.size,
        classes=["other", "dog"],
        name="squeezenet1_1, dogs",
    )
    fitted, fresh = (
        [one for number, one in enumerate(photographs) if (number % 3 == 2) == held_out]
        for held_out in (False, True)
    )
    logits = net(torch.stack([one.image for one in fresh]))
    right = (logits.argmax(1) == torch.tensor([one.label for one in fresh])).float().mean()
    cases = [one for one, score in zip(fresh, logits, strict=True) if score.argmax() == DOG]
    print(
        f"{len(fitted)} photographs fitted to, {len(fresh)} others, {len(cases)} of which the "
        f"network takes for dogs; it is right about {right:.0%}.\n"
    )
    images = [torch.stack([one.image for one in some]) for some in (fitted, fresh)]
    images[0] = torch.cat([images[0], images[0].flip(-1)])
    dogs = torch.stack([case.image for case in cases])
    maps = {
        name: heat_maps_of_score(net, DOG, cases, contrastive).maps
        for name, contrastive in EXCITATION.items()
    }
    found = []
    for method in METHODS:
        for seed in range(arguments.seeds):
            module = xw.fit_explanation(
                net, images[0], DOG, method=method, seed=seed, progress=False
            )
            faithful = xw.evaluate.faithfulness(net, module, images[1], cache=True)
            seen = heat_maps(net, module, cases)
            row = {"f_reg": faithful.f_reg, "f_share": faithful.f_reg / faithful.spread}
            row |= {"f_cls": faithful.f_cls, "method": method, **measures(seen, cases)}
            found.append(row)
            if not seed:
                order = np.argsort(-seen.contributions.mean(0))
                maps[method] = seen.active[:, order]
    groups = pd.DataFrame(found).groupby("method", sort=False)
    mean, spread = groups.mean()[list(MEASURES)], groups.std()[list(MEASURES)]
    print("| method | " + " | ".join(MEASURES) + " |")
    print("|---" * (len(MEASURES) + 1) + "|")
    for method in mean.index:
        cells = [f"{mean.loc[method, one]:.3g} ± {spread.loc[method, one]:.2g}" for one in MEASURES]
        print(f"| {method} | " + " | ".join(cells) + " |")
    print("\n| dogs recognised (pixels kept) | " + " | ".join(map(str, GAMMAS)) + " |")
    print("|---" * (len(GAMMAS) + 1) + "|")
    for name in ("srae", "nn", *EXCITATION):
        left = xw.evaluate.masked_classification(net, dogs, maps[name], [DOG] * len(dogs), GAMMAS)
        cells = [f"{a:.2f} ({k:.0%})" for a, k in zip(left.accuracy, left.kept, strict=True)]
        print(f"| {name} | " + " | ".join(cells) + " |")
    if arguments.pictures:
        for name, some in maps.items():
            draw(arguments.pictures / f"{name}.png", some, cases)


def draw(path: Path, maps: np.ndarray, cases: list[Photograph]) -> None:
    """Some photographs, a row each, beside the maps of the x-features."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for case, some in list(zip(cases, maps, strict=True))[:SHOWN]:
        picture = np.round(255 * case.image.permute(1, 2, 0).numpy()).astype(np.uint8)
        shown = [xw.render.overlay(picture, one, size=224) for one in some]
        rows.append(np.concatenate([picture, *shown], 1))
    with whole(path) as part:
        part.write_bytes(xw.render.png(np.concatenate(rows)))


if __name__ == "__main__":
    main()
