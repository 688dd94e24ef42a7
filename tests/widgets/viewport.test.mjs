// Which part of a picture is shown, and how gestures change it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { cropped, enlargement, outlined } from "../../xwidgets/widgets/overlay/outline.mjs";
import {
  MOST, dragged, inPicture, keyed, middleOf, partOf, partWords, pinched, pixelsIn, pointOf, showing, wheeled, zoomedAt,
} from "../../xwidgets/widgets/shared/viewport.mjs";

const WHOLE = { zoom: 1, center: [0.5, 0.5] };

/** Numbers of a fixed sequence between 0 and 1, for places and factors. */
function* numbers(count) {
  for (let i = 1; i <= count; i++) yield (i * 0.618034) % 1;
}

/** Where in the picture a point of the stage lies, from the definition of the part. */
const under = (viewport, point) => {
  const { top, left, side } = partOf(viewport);
  return [top + point[0] * side, left + point[1] * side];
};

const close = (one, other, by = 1e-9) =>
  assert.ok(one.every((value, at) => Math.abs(value - other[at]) < by), `${one} is not ${other}`);

test("the part lies in the picture, whatever is asked", () => {
  for (const number of numbers(200)) {
    for (const zoom of [0.2, 1, 3, 16, 400]) {
      const { top, left, side } = partOf({ zoom, center: [3 * number - 1, 1.5 - 2 * number] });
      assert.ok(top >= -1e-12 && left >= -1e-12 && top + side <= 1 + 1e-12 && left + side <= 1 + 1e-12);
      assert.ok(side <= 1 && side >= 1 / MOST);
    }
  }
  assert.deepEqual(inPicture({ zoom: 1, center: [0.1, 0.9] }), WHOLE);
});

test("what is under the pointer stays there while the picture is enlarged", () => {
  for (const number of numbers(100)) {
    const viewport = inPicture({ zoom: 2 + 3 * number, center: [number, 1 - number] });
    const point = [number, (number * 7) % 1];
    close(under(zoomedAt(viewport, 1.7, point), point), under(viewport, point));
    close(under(wheeled(viewport, -20, point), point), under(viewport, point));
  }
});

test("enlarging and back leads to the whole, from any place", () => {
  const [close_, wide] = [zoomedAt(WHOLE, 4, [0, 1]), (viewport) => zoomedAt(viewport, 0.1, [0.3, 0.3])];
  assert.deepEqual(partOf(close_), { top: 0, left: 0.75, side: 0.25 });
  assert.deepEqual(wide(close_), WHOLE);
});

test("dragging moves the picture with the pointer, and stops at its borders", () => {
  const viewport = { zoom: 4, center: [0.5, 0.5] };
  const [from, by] = [[0.2, 0.8], [0.3, -0.4]];
  const to = from.map((place, axis) => place + by[axis]);
  close(under(dragged(viewport, by), to), under(viewport, from));
  assert.deepEqual(partOf(dragged(viewport, [9, -9])), { top: 0, left: 0.75, side: 0.25 });
  assert.deepEqual(dragged(WHOLE, [0.4, 0.4]), WHOLE);
});

test("two fingers hold what is under them", () => {
  const size = [300, 400];
  const viewport = { zoom: 3, center: [0.5, 0.5] };
  const share = (point) => point.map((place, axis) => place / size[axis]);
  const [from, to] = [[[100, 150], [200, 250]], [[90, 160], [230, 300]]]; // along one line, apart by 1.4
  const after = pinched(viewport, from, to, size);
  close([after.zoom], [3 * 1.4]);
  for (const finger of [0, 1]) close(under(after, share(to[finger])), under(viewport, share(from[finger])));
  assert.deepEqual(pinched(WHOLE, [[5, 5], [5, 5]], [[5, 5], [9, 9]], size), WHOLE);
});

test("a wheel enlarges upwards, a little for a little and never by a leap", () => {
  assert.ok(wheeled(WHOLE, -3, [0.5, 0.5]).zoom > 1 && wheeled(WHOLE, -3, [0.5, 0.5]).zoom < 1.1);
  close([wheeled(WHOLE, -1e6, [0.5, 0.5]).zoom], [Math.SQRT2]);
  close([wheeled({ zoom: 4, center: [0.5, 0.5] }, 1e6, [0.5, 0.5]).zoom], [2 * Math.SQRT2]);
});

test("keys enlarge by two, and lead back to the whole", () => {
  assert.equal(keyed(WHOLE, "+").zoom, 2);
  assert.equal(keyed(WHOLE, "=").zoom, 2);
  assert.equal(keyed({ zoom: 4, center: [0.2, 0.2] }, "-").zoom, 2);
  assert.equal(keyed({ zoom: MOST, center: [0.2, 0.2] }, "+").zoom, MOST);
  assert.deepEqual(keyed({ zoom: 4, center: [0.2, 0.2] }, "0"), WHOLE);
  assert.equal(keyed(WHOLE, "ArrowUp"), null);
});

test("a key enlarges about the pixel that is read", () => {
  const [viewport, pixel, shape] = [{ zoom: 2, center: [0.5, 0.5] }, [20, 40], [64, 64]];
  const point = pointOf(viewport, pixel, shape);
  close(under(viewport, point), [20.5 / 64, 40.5 / 64]);
  close(pointOf(keyed(viewport, "+", point), pixel, shape), point);
  assert.deepEqual(middleOf({ zoom: 4, center: [0.5, 0.9] }, [64, 32]), [32, 28]);
  assert.deepEqual(middleOf(WHOLE, [5, 4]), [2, 2]);
});

test("a pixel comes into sight by the shortest way", () => {
  const shape = [64, 32];
  const viewport = { zoom: 4, center: [0.5, 0.5] };
  assert.deepEqual(showing(viewport, [32, 16], shape), viewport);
  for (const pixel of [[0, 0], [63, 31], [10, 30]]) {
    const { rows, columns } = pixelsIn(showing(viewport, pixel, shape), shape);
    assert.ok(rows[0] <= pixel[0] && pixel[0] <= rows[1] && columns[0] <= pixel[1] && pixel[1] <= columns[1]);
  }
  assert.deepEqual(pixelsIn(showing(viewport, [40, 16], shape), shape).rows, [25, 40]);
});

test("the part is told by its rows and columns, the whole is not", () => {
  assert.equal(partWords(WHOLE, [64, 64]), "");
  assert.equal(partWords({ zoom: 4, center: [0.5, 0.5] }, [64, 32]), "rows 24 to 39, columns 12 to 19 of 64 × 32 pixels");
  assert.equal(partWords({ zoom: 16, center: [0, 1] }, [2, 2]), "rows 0 to 0, columns 1 to 1 of 2 × 2 pixels");
  assert.deepEqual(pixelsIn({ zoom: 3, center: [0.5, 0.5] }, [10, 10]), { rows: [3, 6], columns: [3, 6] });
});

test("an outline in a part is that of the whole there", () => {
  const width = 6;
  const object = Uint8Array.from({ length: 36 }, (_, i) => (Math.floor(i / width) > 1 && i % width > 2 ? 255 : 0));
  const part = { rows: [1, 4], columns: [2, 5] };
  const crop = cropped(object, width, part);
  const [whole, some] = [outlined(object, width, 0.5), outlined(crop, 4, 0.5)];
  for (let row = 1; row <= 3; row++) { // the last row has lost its neighbour
    for (let column = 3; column <= 5; column++) {
      const alphas = [whole[4 * (row * width + column) + 3], some[4 * ((row - 1) * 4 + column - 2) + 3]];
      assert.equal(alphas[0], alphas[1], `row ${row}, column ${column}`);
    }
  }
  assert.ok(enlargement(4) > enlargement(6));
});
