// What neurons are called.
import assert from "node:assert/strict";
import { test } from "node:test";

import { idOf, layerName, metricName, neuronName } from "../../xwidgets/widgets/shared/neurons.mjs";

test("names of layers, metrics and neurons", () => {
  assert.equal(metricName("activation_precision"), "activation precision");
  const layers = [{ name: "features.0", convolution: 1 }, { name: "head", convolution: null }];
  assert.deepEqual(layers.map(layerName), ["conv 1 · features.0", "head"]);
  assert.equal(idOf(["head", 3]), "head 3");
});

test("a neuron's name has the convolution where there is one", () => {
  assert.equal(neuronName({ layer: "features.10", channel: 12, convolution: 5 }), "conv 5 · channel 12 (features.10)");
  assert.equal(neuronName({ layer: "head", channel: 1, convolution: null }), "channel 1 (head)");
  assert.equal(neuronName({ layer: "head", channel: 1 }), "channel 1 (head)");
});
