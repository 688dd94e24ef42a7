"""Mean and spread over repetitions, as text."""

import numpy as np
import pandas as pd

from xwidgets.reproduce.spread import spread, spread_table


def test_spread_is_over_classes_and_seeds() -> None:
    rows = pd.DataFrame(
        {
            "method": "nn",
            "class": [1, 1, 2, 2],
            "seed": [0, 1, 0, 1],
            "o1": [1.0, 2.0, 5.0, 8.0],
            "o2": [1.0, np.inf, 3.0, 5.0],
            "masks": np.nan,
        }
    )
    told = spread_table(rows, "method", ["o1", "o2", "masks"], digits=1).loc["nn"]
    assert told["o1"] == f"4.0 ± {np.std([1.5, 6.5], ddof=1):.1f} ± {np.std([3, 5], ddof=1):.1f}"
    assert (
        told["o2"]
        == f"3.0 ± {np.std([1, 4], ddof=1):.1f} ± {np.std([2, 5], ddof=1):.1f} (1 infinite)"
    )
    assert told["masks"] == ""
    alone = spread_table(rows[rows["seed"] == 0], "method", ["o1"]).loc["nn", "o1"]
    assert alone == f"3.00 ± {np.std([1, 5], ddof=1):.2f}"


def test_each_kind_of_repetition_has_its_spread() -> None:
    rows = pd.DataFrame({"map": "edges", "scene": [0, 1, 2], "effects": [1.0, 2.0, np.nan]})
    assert spread_table(rows, "map", ["effects"]).loc["edges", "effects"] == "1.50 ± 0.71"
    assert spread(rows["effects"]) == "1.50 ± 0.71"
    assert spread(rows["effects"][:1], digits=3) == "1.000"


def test_a_mean_that_rounds_to_nothing_has_no_sign() -> None:
    assert spread(pd.Series([-0.001])) == "0.00"
    rows = pd.DataFrame({"map": ["edges"], "effects": [-0.001]})
    assert spread_table(rows, "map", ["effects"]).loc["edges", "effects"] == "0.00"
