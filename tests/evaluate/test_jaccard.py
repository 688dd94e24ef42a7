import pytest

import xwidgets as xw
from xwidgets.evaluate import jaccard, jaccard_of_overlap


def test_it_is_the_share_of_what_both_have() -> None:
    a = [(3, 0), (3, 1), (4, 0), (4, 0)]
    b = [(4, 0), (3, 1), (5, 0), (5, 1)]
    assert jaccard(a, b) == jaccard(b, a) == 2 / 5
    assert jaccard(a, a) == 1
    assert jaccard(a, [(9, 9)]) == jaccard(a, []) == 0
    assert jaccard([], []) == 1


def test_it_takes_rankings() -> None:
    net, scene = xw.network("street"), xw.scenes.street(seed=3)
    ranking = xw.rank_neurons(net, scene.image, layers=[3, 4], samples=4, top=2)
    assert jaccard(ranking, ranking) == 1
    more = ranking.by(top=4)
    assert jaccard(ranking, more) == 4 / 8


def test_the_authors_measure_converts() -> None:
    a, b = set(range(10)), set(range(6, 13))
    assert jaccard_of_overlap(len(a & b) / (len(a) + len(b))) == pytest.approx(jaccard(a, b))
    assert jaccard_of_overlap(0.5) == 1
    with pytest.raises(ValueError, match=r"0 to 0\.5"):
        jaccard_of_overlap(0.6)
