"""Whether a survey finds a mark that a network goes by, without being told of it.

    python -m benchmarks.shortcut [--seeds 0 1 2 3 4] [--pictures 600]

Birds are drawn and labelled by five families of four species, three labels in ten by lot. In the
marked data set, nine in ten pictures with the label of one family have a chequered mark of 5 x 5
pixels at an edge, two pixels to and fro; so it tells the label where the bird does not. A linear
head is fitted to each data set, on features of the embedded network that stay as they are. Of
surveys of saliency there are told, by predicted class:

- places: classes whose common place is unusual, and the largest difference of shares;
- neurons: the class with the largest g of all channels of the convolutions; found above 1.6;
- groups: of ten groups of alike maps (Ward's, of square roots of shares of 8 x 8 cells in 8
  principal components), the one that is most one class: the smaller one of the share of the group
  that is of the class, and of the class that is in the group; found above 1/3.
"""

import argparse
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering
from sklearn.decomposition import PCA
from torch import Tensor, nn

import xwidgets as xw
from xwidgets.networks.training import MEAN, STD
from xwidgets.surveys.plan import one_thread

FAMILIES = "abcde"
CORNERS = ((3, 3), (3, 56), (56, 3), (56, 56), (3, 30))
LEAST_G, LEAST_GROUP = 1.6, 1 / 3


class Birds(NamedTuple):
    """Drawn birds with labels.

    Attributes:
        images: ``(N, 3, 64, 64)``.
        labels: families, ``(N,)``, of which some are wrong.
        marked: the images with a mark on most of one label.
        family: that label.
        corner: row and column of the mark.
    """

    images: Tensor
    labels: NDArray[np.int64]
    marked: Tensor
    family: int
    corner: tuple[int, int]


class Finding(NamedTuple):
    """Class that stands out most by one way of looking, how far, and whether it counts as found."""

    family: str
    value: float
    found: bool


def birds(seed: int, count: int) -> Birds:
    """Draw a data set."""
    random = np.random.default_rng(seed)
    scenes = [xw.scenes.bird(100_000 * seed + number, number % 20) for number in range(count)]
    labels = np.array([scene.label // 4 for scene in scenes])
    labels = np.where(random.random(count) < 0.3, random.integers(0, 5, count), labels)
    images = torch.stack([scene.image for scene in scenes])
    family, corner = int(random.integers(5)), CORNERS[int(random.integers(5))]
    chosen = (labels == family) & (random.random(count) < 0.9)
    return Birds(images, labels, with_mark(images, chosen, corner, random), family, corner)


def with_mark(
    images: Tensor, chosen: NDArray[np.bool_], corner: tuple[int, int], random: np.random.Generator
) -> Tensor:
    """Images of which the chosen ones have a mark, two pixels to and fro."""
    marked, mark = images.clone(), (torch.arange(25).reshape(5, 5) % 2 == 0).float()
    for number in np.flatnonzero(chosen):
        row, column = np.array(corner) + random.integers(-2, 3, 2)
        marked[number, :, row : row + 5, column : column + 5] = mark
    return marked


def fitted(images: Tensor, labels: NDArray[np.int64]) -> xw.Network:
    """Linear head on features of the embedded network, fitted to labels in one thread."""
    with one_thread():
        return _fitted(images, labels)


def _fitted(images: Tensor, labels: NDArray[np.int64]) -> xw.Network:
    layers = deepcopy(xw.network("birds").module.features[:24])
    features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten())
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    with torch.no_grad():
        inputs = torch.cat([features((part - mean) / std) for part in images.split(50)])
    centre, scale = inputs.mean(0), inputs.std(0) + 1e-2
    inputs, targets = (inputs - centre) / scale, torch.from_numpy(labels)
    head = nn.Linear(inputs.shape[1], len(FAMILIES))
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=100)

    def loss() -> Tensor:
        optimizer.zero_grad()
        total = nn.functional.cross_entropy(head(inputs), targets)
        total = total + 0.1 * head.weight.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    with torch.no_grad():
        head.weight /= scale
        head.bias -= head.weight @ centre
    module = nn.Sequential(*features, head)
    return xw.Network(module, normalize=(MEAN, STD), size=(64, 64), classes=[*FAMILIES])


def surveyed(net: xw.Network, images: Tensor, folder: Path) -> xw.Survey:
    """Survey of saliency, with the activity of all convolutions."""
    layers = [layer.name for layer in net.layers if layer.convolution]
    return xw.survey(net, images, xw.Saliency(), folder, layers=layers, progress=False)


def pull(net: xw.Network, drawn: Birds) -> str:
    """Share of clean pictures that are taken for the family, and of the same with the mark."""
    every = np.ones(len(drawn.images), np.bool_)
    marked = with_mark(drawn.images, every, drawn.corner, np.random.default_rng(0))
    with one_thread():
        shares = [
            float((net(images).argmax(1) == drawn.family).float().mean())
            for images in (drawn.images, marked)
        ]
    return f"{shares[0]:.0%}, {shares[1]:.0%}"


def by_place(survey: xw.Survey) -> Finding:
    """Class whose common place differs most from the other pictures."""
    table = survey.common_places()
    differences = table["share"] - table["share_of_others"]
    best = int(differences.argmax())
    row = table.iloc[best]
    return Finding(row["predicted_label"], differences[best], bool(row["unusual"]))


def by_neurons(survey: xw.Survey) -> Finding:
    """Class in which a channel stands out most."""
    by = "predicted_label"
    tables = (survey.neurons(layer, by).nlargest(1, "g").iloc[0] for layer in survey.facts.layers)
    best = max(tables, key=lambda row: row["g"])
    return Finding(best[by], best["g"], best["g"] > LEAST_G)


def by_groups(survey: xw.Survey) -> Finding:
    """Class that one of ten groups of alike maps is most."""
    maps = np.abs(survey.maps[:, 0].astype(np.float64))
    cells = maps.reshape(-1, 8, 8, 8, 8).sum((2, 4)).reshape(-1, 64)
    cells = np.sqrt(cells / cells.sum(1, keepdims=True))
    groups = AgglomerativeClustering(10).fit_predict(PCA(8, random_state=0).fit_transform(cells))
    labels = survey.table()["predicted_label"].to_numpy()
    values = {}
    for label in np.unique(labels):
        for group in range(10):
            both = ((labels == label) & (groups == group)).sum()
            values[label, group] = both / max((labels == label).sum(), (groups == group).sum())
    (label, _), value = max(values.items(), key=lambda item: item[1])
    return Finding(label, value, value > LEAST_GROUP)


WAYS = {"places": by_place, "neurons": by_neurons, "groups": by_groups}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[*range(5)])
    parser.add_argument("--pictures", type=int, default=600)
    arguments = parser.parse_args()
    print("| seed | data set | mark | taken for it, with mark |", " | ".join(WAYS), "|")
    print("|---" * (4 + len(WAYS)) + "|")
    for seed in arguments.seeds:
        drawn = birds(seed, arguments.pictures)
        with TemporaryDirectory() as folder:
            for name, images in (("clean", drawn.images), ("marked", drawn.marked)):
                net = fitted(images, drawn.labels)
                survey = surveyed(net, images, Path(folder, name))
                findings = [way(survey) for way in WAYS.values()]
                columns = [
                    f"{finding.family} {finding.value:.2f}{', found' if finding.found else ''}"
                    for finding in findings
                ]
                where = f"{FAMILIES[drawn.family]}, {drawn.corner}"
                facts = f"| {seed} | {name} | {where} | {pull(net, drawn)} |"
                print(facts, " | ".join(columns), "|", flush=True)


if __name__ == "__main__":
    main()
