// @ts-check
// What views find around them in a page without a kernel.

/**
 * Bytes where the state holds {"base64": ...}, at any depth.
 *
 * @param {string} _
 * @param {any} value
 */
function revive(_, value) {
  if (value === null || typeof value.base64 !== "string") return value;
  const bytes = Uint8Array.from(atob(value.base64), (character) => character.charCodeAt(0));
  return new DataView(bytes.buffer);
}

/** Holds the state; a change is heard at once by whoever listens with on("change:name"). */
class Model {
  /** @type {Record<string, any>} */
  #state;
  /** @type {Map<string, Set<() => void>>} */
  #listeners = new Map();

  /** @param {Record<string, any>} state */
  constructor(state) {
    this.#state = state;
  }

  /** @param {string} name */
  get(name) {
    return this.#state[name];
  }

  /**
   * @param {string} name
   * @param {any} value
   */
  set(name, value) {
    this.#state[name] = value;
    for (const callback of [...this.#heard(`change:${name}`)]) callback();
  }

  /**
   * @param {string} event
   * @param {() => void} callback
   */
  on(event, callback) {
    this.#heard(event).add(callback);
  }

  /**
   * @param {string} event
   * @param {() => void} callback
   */
  off(event, callback) {
    this.#heard(event).delete(callback);
  }

  save_changes() {}

  send() {}

  /** @param {string} event */
  #heard(event) {
    const callbacks = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, callbacks);
    return callbacks;
  }
}

/**
 * Where a view stands on a page, and what finds the others for a group of views.
 *
 * @typedef {{ model: Model, el: HTMLElement, host: Host, signal: AbortSignal }} Place
 *
 * @typedef {{
 *   getModel: (reference: string) => Promise<Model>,
 *   getWidget: (reference: string) => Promise<{ render: (place: { el: HTMLElement }) => Promise<void> }>,
 * }} Host
 *
 * @typedef {{ module: number, state: Record<string, any>, inside: boolean }} Part
 */

/**
 * Draws all parts of the page; of one that fails, says so in its place.
 *
 * @param {HTMLElement} page the element that holds the states, and a sentence for who sees no view
 * @param {(() => { render: (place: Place) => void })[]} views functions that return the default exports
 *   of the parts' modules
 */
export function drawParts(page, views) {
  /** @type {{ parts: Part[], shared: string[] }} */
  const { parts, shared } = JSON.parse(page.querySelector(".xw-page-states")?.textContent ?? "", revive);
  const models = parts.map(({ state }) => new Model(state));
  for (const model of models) {
    for (const name of shared) {
      model.on(`change:${name}`, () => {
        const value = model.get(name);
        for (const other of models) if (other.get(name) !== value) other.set(name, value);
      });
    }
  }
  /** @param {string} reference */
  const placeOf = (reference) => Number(reference.split(":")[1]);
  /** @type {Host} */
  const host = {
    getModel: async (reference) => models[placeOf(reference)],
    getWidget: async (reference) => ({ render: async ({ el }) => draw(placeOf(reference), el) }),
  };
  /**
   * @param {number} at
   * @param {HTMLElement} el
   */
  const draw = (at, el) => {
    try {
      views[parts[at].module]().render({ model: models[at], el, host, signal: new AbortController().signal });
    } catch (error) {
      const alert = Object.assign(document.createElement("p"), { role: "alert" });
      alert.textContent = `This part of the page could not be drawn: ${error}`;
      el.replaceChildren(alert);
    }
  };
  for (const [at, { inside }] of parts.entries()) {
    if (inside) continue;
    const el = document.createElement("section");
    page.querySelector(".xw-page-views")?.append(el);
    draw(at, el);
  }
  page.querySelector(".xw-page-blank")?.remove();
}
