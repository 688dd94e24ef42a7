"""Fitting all classes together against one after another: ``python -m benchmarks.explanation_fit``.

Both from features that are read already; every class with as many epochs, so that the work is the
same.
"""

import argparse
import time
from collections.abc import Sequence
from tempfile import TemporaryDirectory

import xwidgets as xw

EPOCHS = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=3_000)
    parser.add_argument("--alone", type=int, default=5, help="how many classes are fitted alone")
    options = parser.parse_args()
    net = xw.network("birds")
    images, _ = xw.scenes.draw("birds", range(20_000, 20_000 + options.images))
    with TemporaryDirectory() as cache:

        def seconds(target: int | Sequence[int] | None, epochs: int = EPOCHS) -> float:
            start = time.perf_counter()
            xw.fit_explanation(
                net, images, target, cache=cache, progress=False, epochs=epochs, patience=EPOCHS
            )
            return time.perf_counter() - start

        reading = seconds([0], epochs=1)
        found = seconds([0], epochs=1)
        together = seconds(None)
        alone = [seconds([target]) for target in range(options.alone)]
    count = len(net.classes)
    mean = sum(alone) / len(alone)
    print(f"{options.images} images, read in {reading - found:.1f} s; {EPOCHS} epochs each")
    print(f"all {count} classes together: {together:.1f} s, {together / count:.2f} s a class")
    print(f"one class alone: {mean:.1f} s ({min(alone):.1f} to {max(alone):.1f})")
    print(f"one after another: {count * mean:.0f} s, {count * mean / together:.1f} times as long")


if __name__ == "__main__":
    main()
