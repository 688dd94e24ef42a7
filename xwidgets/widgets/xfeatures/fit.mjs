// @ts-check
// How far the fit of the explanation module is, and how well it does.

import { makeAlert, make, warn } from "../shared/dom.mjs";
import { number } from "../shared/numbers.mjs";
import { makeWork, status } from "../shared/work.mjs";

const ERROR = "held-out error: mean |approximation − score| over images that the module was not fitted to";

/**
 * How far the fit of the module is; "" when there is none.
 *
 * @param {import("../shared/work.mjs").Progress & { epoch?: number | null, error?: number | null }} training
 */
export function fitted({ epoch, error, message, ...progress }) {
  const known = (/** @type {number | null | undefined} */ value) => value !== null && value !== undefined;
  const epochs = known(epoch) ? [`epoch ${epoch}`] : [];
  const errors = known(error) ? [`held-out error ${number(error)}`] : [];
  /** @type {Record<string, (string | undefined)[]>} */
  const parts = {
    computing: ["fitting the module", ...epochs, ...errors, ...status(progress).split(", "), message],
    stopped: [["stopped", ...epochs].join(" at "), ...errors, "the best so far is kept", message],
    complete: ["module fitted", ...errors, message],
  };
  return (parts[progress.state ?? ""] ?? []).filter(Boolean).join(" · ");
}

/**
 * The fit, what went wrong, and what stands in place of x-features while there are none.
 *
 * @param {import("../shared/view.mjs").Model} model
 */
export function makeFit(model) {
  const alert = makeAlert();
  const work = makeWork(model, "training", "share of the fit");
  work.element.title = ERROR;
  const empty = make("div", { className: "xw-quiet xw-empty" });
  const draw = () => {
    const training = model.get("training");
    const { state, message } = training;
    const text = fitted(training);
    work.element.hidden = !text || (state === "computing" && !model.get("alive"));
    work.show(training, text);
    empty.textContent = state === "computing"
      ? "Its x-features are shown here as soon as they are known."
      : "Nothing is explained yet.";
    const failed = state === "failed" && `The explanation module could not be fitted: ${message}`;
    warn(alert, [model.get("message"), model.get("lack"), failed].filter(Boolean).join("\n"));
  };
  /** @type {import("../shared/view.mjs").Draw[]} */
  const draws = [
    [["training", "message", "lack"], draw],
    [["features", "lack"], () => { empty.hidden = model.get("features").length > 0 || model.get("lack") !== ""; }],
  ];
  return { elements: [alert, work.element, empty], draws };
}
