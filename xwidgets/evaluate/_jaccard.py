"""Overlap of two sets of neurons (Lengerich et al. 2017, section 5.2)."""

from collections.abc import Hashable, Iterable

from xwidgets.errors import listed, number


def jaccard(a: Iterable[Hashable], b: Iterable[Hashable]) -> float:
    """Jaccard index ``|A & B| / |A | B|``: 1 for equal sets, 0 for disjoint ones.

    Args:
        a, b: neurons, such as pairs of a layer and a channel; two :class:`xwidgets.Ranking` for
            their best.

    Returns:
        0 to 1. Two empty sets are equal: 1.

    Example:
        >>> jaccard([(3, 11), (3, 12)], [(3, 12), (4, 0)])
        0.3333333333333333
    """
    needed = "neurons, pairs of a layer and a channel"
    first, second = (
        set(listed(name, given, Hashable, needed)) for name, given in (("a", a), ("b", b))
    )
    union = first | second
    return len(first & second) / len(union) if union else 1.0


def jaccard_of_overlap(overlap: float) -> float:
    """Jaccard index of two sets whose ``|A & B| / (|A| + |B|)`` is ``overlap``.

    The authors' code divides by the sum of the sizes, so that its values are at most a half.

    Raises:
        ValueError: for an overlap outside [0, 0.5].

    Example:
        >>> round(jaccard_of_overlap(0.4), 2)
        0.67
    """
    number("overlap", overlap, lambda share: 0 <= share <= 0.5, "from 0 to 0.5")
    return overlap / (1 - overlap)
