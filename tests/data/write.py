"""Write one small file of every kind, and beside them what they hold.

Those in ``0.1.0`` are of version 0.1.0, of the build before results took the place of older files
whole (commit 676eb73), but for the class model, which came later. Run it once for every build whose
files are to be read for ever after:

    python -m tests.data.write tests/data/0.1.0
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

import xwidgets as xw
from tests.data.contents import LOADERS, told
from xwidgets.reproduce import Figure
from xwidgets.results.names import Names, Opinion


def main() -> None:
    folder = Path(sys.argv[1])
    warnings.filterwarnings("ignore", message=r".* images")  # that they are few
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 14 * 14, 3))
    classes = ["ant", "Grünspecht, 'green'", "<b>cat</b>"]
    net = xw.Network(module, size=(16, 16), classes=classes, name="tiny")
    images = torch.rand(60, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    image = images[0]
    target = net.top(image, 1)[0][0]
    sampler = xw.MarginalSampler(images)
    one, other = (
        xw.prediction_difference(net, image, target, 4, sampler, samples=3, seed=seed)
        for seed in (0, 1)
    )
    mask = np.zeros((16, 16), bool)
    mask[3:7, 5:12] = True
    removal = xw.remove_region(net, image, mask, sampler=sampler, samples=3)
    options = {"features": 2, "epochs": 3, "hidden": (8, 4), "seed": 5, "cache": False}
    fitted = xw.fit_explanation(net, images, target, progress=False, **options)
    found = xw.x_features(net, fitted, image)
    names = Names()
    names.note(found, Opinion(["<b>beak</b>", "Flügel"], ["trust", ""]))
    figure = Figure([[one, one.image, mask]], ["bee"], ["map", "picture", "region"], "row")
    [top] = xw.search_images(net, images, [(1, 0)], k=2, cache=False)
    written = {
        "prediction_difference.npz": one,
        "saliency.npz": xw.saliency(net, image, target),
        "excitation_backprop.npz": xw.excitation_backprop(net, image, target),
        "difference.npz": xw.difference(one, other),
        "ranking.npz": xw.rank_neurons(net, image, target=target, samples=4, minimum=0),
        "region_removal.npz": removal,
        "unit_relevance.npz": xw.unit_relevance(net, image, "0", target, images=images, samples=1),
        "neuron_patch.npz": xw.neuron_patches(net, image, [(1, 0)])[0],
        "top_images.npz": top,
        "class_model.npz": xw.class_model(net, target, iterations=4, seeds=(0, 1)),
        "x_features.npz": found,
        "module.safetensors": fitted,
        "sampler.safetensors": xw.ConditionalSampler.fit(images, 2, 1, patches=500),
        "names.json": names,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, thing in written.items():
        thing.save(folder / name)
    figure.save(folder / "figure.npz", seed=0)
    written["figure.npz"] = LOADERS["figure.npz"](folder / "figure.npz")  # a map to 1/254
    expected = {name: told(thing) for name, thing in written.items()}
    text = json.dumps(expected, indent=1, ensure_ascii=False)
    (folder / "expected.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
