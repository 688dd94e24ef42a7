// @ts-check
// Several views in one.

import { mountGroup } from "./shared/group.mjs";

/** @param {import("./shared/group.mjs").Place} place */
const render = (place) => mountGroup(place);

export default { render };
