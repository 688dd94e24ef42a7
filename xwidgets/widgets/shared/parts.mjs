// @ts-check
// Parts that stay in place while what they show changes, so that neither focus nor what is read is
// lost.


/**
 * Puts elements in order; the one with the focus is not moved, as that would take the focus away.
 *
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} elements
 */
export function arrange(parent, elements) {
  const inPlace = elements.length === parent.children.length
    && elements.every((element, at) => element === parent.children[at]);
  if (inPlace) return;
  const focus = /** @type {Document | ShadowRoot} */ (parent.getRootNode()).activeElement;
  const held = elements.find((element) => element.parentElement === parent && element.contains(focus));
  const lost = !held && focus !== parent && parent.contains(focus);
  /** @type {Set<Element>} */
  const kept = new Set(elements);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  let before = held;
  for (const element of elements) {
    if (element === held) before = undefined;
    else parent.insertBefore(element, before ?? null);
  }
  if (lost) parent.focus({ preventScroll: true });
}

/**
 * Keeps a part for each key: makes those that are new, and removes those that are gone.
 *
 * @template {{ element: HTMLElement }} Part
 * @param {HTMLElement} parent
 */
export function keepParts(parent) {
  /** @type {Map<any, Part>} */
  const parts = new Map();
  /**
   * @param {any[]} keys in the order of the parts
   * @param {(key: any, place: number) => Part} build
   */
  const keep = (keys, build) => {
    const kept = new Set(keys);
    for (const key of parts.keys()) {
      if (!kept.has(key)) parts.delete(key);
    }
    const all = keys.map((key, place) => {
      const part = parts.get(key) ?? build(key, place);
      parts.set(key, part);
      return part;
    });
    arrange(parent, all.map(({ element }) => element));
    return all;
  };
  return { parts, keep };
}

/**
 * What tells images apart: their source, and its count where it comes again.
 *
 * @param {{ source: string }[]} images
 */
export function keysOf(images) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return images.map(({ source }) => {
    seen.set(source, (seen.get(source) ?? 0) + 1);
    return `${seen.get(source)} ${source}`;
  });
}
