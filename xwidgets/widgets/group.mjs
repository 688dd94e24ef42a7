// @ts-check
// Several views in one.

import { make } from "./shared/dom.mjs";
import { makeGroup } from "./shared/group.mjs";
import { mount } from "./shared/view.mjs";

/** @param {import("./shared/group.mjs").Place} place */
function render(place) {
  const group = makeGroup(place);
  const view = make("div", { className: "xw-view xw-group" }, group.element);
  return mount(place, view, group.draws, group.leave);
}

export default { render };
