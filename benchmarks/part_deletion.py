"""Does prediction difference find the part that matters? On 100 drawn birds, beside two baselines.

    python -m benchmarks.part_deletion [--scenes 100] [--samples 2]

For every scene each removable part is removed by drawing the scene again without it; the part that
costs the most evidence should be given the highest mean relevance.
"""

import argparse
from collections import defaultdict
from statistics import mean

from scipy.stats import spearmanr
from tqdm import tqdm

import xwidgets as xw


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--window", type=int, default=8)
    parser.add_argument("--stride", type=int, default=2)
    arguments = parser.parse_args()
    net = xw.network("birds")
    hits: dict[str, list[bool]] = defaultdict(list)
    correlations: dict[str, list[float]] = defaultdict(list)
    for seed in tqdm(range(20_000, 20_000 + arguments.scenes)):
        scene = xw.scenes.bird(seed=seed)
        relevance = xw.prediction_difference(
            net,
            scene.image,
            target=scene.label,
            window=arguments.window,
            samples=arguments.samples,
            stride=arguments.stride,
        )
        maps = {
            "prediction difference": relevance.values,
            "edge detector": xw.evaluate.edge_map(scene.image),
            "random map": xw.evaluate.random_map(scene.image, seed),
        }
        for name, values in maps.items():
            found = xw.evaluate.part_deletion(net, scene, values)
            hits[name].append(found.hit)
            correlations[name].append(spearmanr(found.effects, found.relevance).statistic)
    print("| map | most relevant part has the largest effect | mean Spearman correlation |")
    print("|---|---|---|")
    for name in hits:
        found_share = f"{sum(hits[name])} of {len(hits[name])}"
        print(f"| {name} | {found_share} | {mean(correlations[name]):+.2f} |")


if __name__ == "__main__":
    main()
