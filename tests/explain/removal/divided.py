"""Division of samples by the spread of neighbouring windows, in plain loops."""

import numpy as np


def divided_by_hand(variance, corners, window, budget):
    """Numbers of further samples of windows.

    Args:
        variance: ``(n, M)``, of a sample.
        corners: n pairs (y, x), row by row, of windows that cover a picture.
        window: height and width.
        budget: mean number of further samples.
    """
    height, width = window
    rows, columns = (sorted({corner[axis] for corner in corners}) for axis in range(2))
    cover = np.zeros((rows[-1] + height, columns[-1] + width))
    for y, x in corners:
        cover[y : y + height, x : x + width] += 1
    at = {
        (row, column): corners.index([y, x])
        for row, y in enumerate(rows)
        for column, x in enumerate(columns)
    }
    noise = {}
    for row, column in at:
        y, x = rows[row], columns[column]
        weight = (1 / cover[y : y + height, x : x + width] ** 2).sum()
        around = [(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        neighbours = [
            variance[at[place]] for place in around if place in at and place != (row, column)
        ]
        mean = np.mean(neighbours, 0) if neighbours else np.zeros(variance.shape[1])
        noise[row, column] = np.sqrt(weight * mean)
    counts = np.zeros(len(corners), int)
    for colour in np.ndindex(2, 2):
        places = [place for place in at if (place[0] % 2, place[1] % 2) == colour]
        if not places:
            continue
        means = np.mean([noise[place] for place in places], 0)
        shares = np.array([_share(noise[place], means) for place in places])
        shares = shares / shares.mean() if shares.any() else shares + 1
        done, due = 0, 0.0
        for place, share in zip(places, shares, strict=True):
            due += budget * (0.1 + 0.9 * share)
            counts[at[place]], done = round(due) - done, round(due)
    return counts


def _share(noise, means):
    relative = [part / mean if mean else 0 for part, mean in zip(noise, means, strict=True)]
    share = np.sqrt(np.mean(np.square(relative)))
    return 2 ** (np.round(2 * np.log2(share)) / 2) if share else 0
