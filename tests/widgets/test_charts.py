import numpy as np
import pandas as pd

from xwidgets.widgets.charts import Curves

TABLE = pd.DataFrame(
    {"seed": [0, 0, 0, 1, 1], "epoch": [0, 1, 2, 0, 1], "accuracy": [0.2, 0.4, 0.9, 0.4, 0.8]}
)
PUBLISHED = pd.DataFrame({"accuracy": [0.35, 0.89]}, index=["first", "last"])


def test_the_mean_is_strong_and_every_repetition_light() -> None:
    curves = Curves({"accuracy": "net"}, x="epoch", published=PUBLISHED)
    curves.show(TABLE)
    [light, mean, points] = curves.marks
    np.testing.assert_allclose(mean.x, [0, 1, 2])
    np.testing.assert_allclose(mean.y, [0.3, 0.6, 0.9])
    np.testing.assert_allclose(light.x, [0, 1, 2, 2] * 2)
    np.testing.assert_allclose(light.y, [0.2, 0.4, 0.9, np.nan, 0.4, 0.8, np.nan, np.nan])
    assert mean.stroke_width > light.stroke_width
    assert mean.labels == ["net"]
    assert mean.colors == light.colors == points.colors
    np.testing.assert_allclose(points.x, [0, 2])
    np.testing.assert_allclose(points.y, [0.35, 0.89])


def test_a_table_grows_from_one_row() -> None:
    curves = Curves({"accuracy": "net"}, x="epoch")
    for rows in range(1, 6):
        curves.show(TABLE.head(rows))
        assert len(curves.means["accuracy"].x) == min(rows, 3)
    assert len(curves.marks) == 2
