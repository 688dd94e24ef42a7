"""Check of a reader's prediction against what was computed."""

from collections.abc import Sequence
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from xwidgets.errors import of_kind, shown

NEEDED = "a finite number, True or False, a word, or a list of numbers"

Answer = bool | int | float | str | Sequence[float] | NDArray[np.generic]


def check(prediction: Answer | None, truth: Answer, why: str) -> str:
    """Say whether a prediction is right, and why the truth is what it is.

    Args:
        prediction: a number, True or False, a word, or a list of numbers; ``None`` before the
            reader has written one, and then the truth is not told.
        truth: what was computed.
        why: a sentence about the truth.

    Returns:
        One line. Numbers are right within a thousandth, words whatever their case.

    Raises:
        ValueError: for answers of another kind.

    Example:
        >>> check(None, 4, "Four windows fit.")
        'Not answered yet: write your prediction in place of None, and run the cell again.'
        >>> check(5, 4, "Four windows fit.")
        'Not quite: you predicted 5, it is 4. Four windows fit.'
        >>> check([1, 0], np.array([1.0, 0.0]), "The second is 0.")
        'Right: [1, 0]. The second is 0.'
    """
    for name, answer in (("prediction", prediction), ("truth", truth)):
        if not (name == "prediction" and answer is None):
            _check_answer(name, answer)
    of_kind("why", why, str, "a sentence about the truth")
    if prediction is None:
        return "Not answered yet: write your prediction in place of None, and run the cell again."
    right = _plain(truth)
    if _agree(_plain(prediction), right):
        return f"Right: {_written(right)}. {why}"
    return (
        f"Not quite: you predicted {_written(_plain(prediction))}, it is {_written(right)}. {why}"
    )


def _check_answer(name: str, answer: object) -> None:
    of_kind(name, answer, bool | Real | str | Sequence | np.ndarray, NEEDED)
    if not isinstance(answer, str):
        numbers = np.asarray(answer) if not isinstance(answer, bytes) else np.array(None)
        if numbers.dtype.kind not in "biuf" or not np.isfinite(numbers).all():
            raise ValueError(f"{name} is {shown(answer)}, but must be {NEEDED}")


def _plain(answer: Answer) -> object:
    """Plain Python of an answer: arrays are lists, words have no case."""
    if isinstance(answer, str):
        return answer.strip().casefold()
    return np.asarray(answer).tolist()


def _agree(prediction: object, truth: object) -> bool:
    if isinstance(truth, str | bool) or isinstance(prediction, str | bool):
        return type(prediction) is type(truth) and prediction == truth
    one, other = (np.asarray(answer, dtype=float) for answer in (prediction, truth))
    return one.shape == other.shape and bool(np.allclose(one, other, atol=1e-3, rtol=1e-3))


def _written(answer: object) -> str:
    if isinstance(answer, list):
        return f"[{', '.join(map(_written, answer))}]"
    return f"{answer:.4g}" if isinstance(answer, float) else str(answer)
