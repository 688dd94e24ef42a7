// @ts-check
// Two maps and their difference beside each other, below what moves the methods.

import { mountGroup } from "./shared/group.mjs";

/** @param {import("./shared/group.mjs").Place} place */
const render = (place) => mountGroup(place, "xw-comparison");

export default { render };
