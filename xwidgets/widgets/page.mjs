// What views find around them in a page without a kernel.

/** Bytes where the state holds {"base64": ...}, at any depth. */
function revive(key, value) {
  if (value === null || typeof value.base64 !== "string") return value;
  const bytes = Uint8Array.from(atob(value.base64), (character) => character.charCodeAt(0));
  return new DataView(bytes.buffer);
}

/** Holds the state; a change is heard at once by whoever listens with on("change:name"). */
class Model {
  #state;
  #events = new EventTarget();
  #listeners = new Map();

  constructor(state) {
    this.#state = state;
  }

  get(name) {
    return this.#state[name];
  }

  set(name, value) {
    this.#state[name] = value;
    this.#events.dispatchEvent(new Event(`change:${name}`));
  }

  on(names, callback) {
    const listener = () => callback();
    this.#listeners.set(callback, listener);
    for (const name of names.split(" ")) this.#events.addEventListener(name, listener);
  }

  off(names, callback) {
    const listener = this.#listeners.get(callback);
    for (const name of names.split(" ")) this.#events.removeEventListener(name, listener);
  }

  save_changes() {}

  send() {}
}

const { parts, shared } = JSON.parse(document.getElementById("views").textContent, revive);
const models = parts.map(({ state }) => new Model(state));
for (const model of models) {
  for (const name of shared) {
    model.on(`change:${name}`, () => {
      const value = model.get(name);
      for (const other of models) if (other.get(name) !== value) other.set(name, value);
    });
  }
}
for (const [place, { module }] of parts.entries()) {
  const source = new Blob([module], { type: "text/javascript" });
  const { default: view } = await import(URL.createObjectURL(source));
  const el = document.createElement("section");
  document.querySelector("main").append(el);
  view.render({ model: models[place], el });
}
