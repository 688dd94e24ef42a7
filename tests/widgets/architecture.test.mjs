// The strip of layers above the ranking table.
import assert from "node:assert/strict";
import { test } from "node:test";

import { blocksOf, choosing, layerWords, stripWords } from "../../xwidgets/widgets/ranking/architecture.mjs";
import { plainOf } from "../../xwidgets/widgets/shared/help.mjs";

const layer = (channels, size, name = "features.9") => ({ name, convolution: 5, channels, size });

test("blocks are as high as the channels are many and as wide as the maps are", () => {
  const blocks = blocksOf([layer(16, [64, 64]), layer(64, [16, 16]), layer(256, [4, 4])]);
  assert.deepEqual(blocks.map(({ height }) => height), [0.25, 0.5, 1]);
  assert.deepEqual(blocks.map(({ width }) => width), [1, 0.5, 0.25]);
});

test("the smallest block can still be seen, and one without a size is as wide as the widest", () => {
  const [small, , unknown] = blocksOf([layer(1, [1, 1]), layer(4096, [224, 224]), layer(8, [])]);
  assert.ok(small.height > 0.1 && small.width > 0.1);
  assert.equal(unknown.width, 1);
  assert.deepEqual(blocksOf([{ name: "own", convolution: 1 }]), [{ height: 1, width: 1 }]);
  assert.deepEqual(blocksOf([layer(3, [])]), [{ height: 1, width: 1 }]);
  assert.deepEqual(blocksOf([]), []);
});

test("a layer is told by name, channels and the size of its maps as far as they are known", () => {
  assert.equal(layerWords(layer(256, [14, 14])), "conv 5 · features.9: 256 channels, 14 × 14");
  assert.equal(layerWords(layer(1, [])), "conv 5 · features.9: 1 channel");
  assert.equal(layerWords({ name: "own", convolution: null }), "own");
});

test("choosing the only layer again chooses all", () => {
  assert.deepEqual(choosing([], "a"), ["a"]);
  assert.deepEqual(choosing(["a"], "b"), ["b"]);
  assert.deepEqual(choosing(["a", "b"], "a"), ["a"]);
  assert.deepEqual(choosing(["a"], "a"), []);
});

test("below the strip stands the layer that is pointed at, or the one that is chosen", () => {
  const layers = [layer(8, [], "a"), layer(16, [], "b"), layer(32, [], "c")];
  assert.match(stripWords(layers, []), /^Choose a layer/);
  assert.equal(stripWords(layers, ["b"]), "conv 5 · b: 16 channels");
  assert.equal(stripWords(layers, ["b"], layers[2]), "conv 5 · c: 32 channels");
  assert.equal(stripWords(layers, ["a", "b"]), "2 layers chosen");
  assert.equal(stripWords(layers.slice(1, 2), []), "conv 5 · b: 16 channels");
});

test("every metric has a plain name, and other terms need none", () => {
  const metrics = ["activation_precision", "output_correlation", "activation_sum", "activation_variance", "weight_sum", "weight_variance"];
  assert.equal(new Set(metrics.map(plainOf)).size, 6);
  assert.ok(metrics.every((metric) => plainOf(metric).length > 10));
  assert.equal(plainOf("window"), "");
});
