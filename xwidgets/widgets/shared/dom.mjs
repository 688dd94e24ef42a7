// @ts-check
// Elements that all views are made of.

/**
 * An element with these properties and children.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/**
 * A button; its content is a text or the nodes in it.
 *
 * @param {string | Node | (string | Node)[]} content
 * @param {() => void} onClick
 * @param {Record<string, any>} [properties]
 */
export function press(content, onClick, properties = {}) {
  const button = make("button", { type: "button", ...properties }, ...[content].flat());
  button.addEventListener("click", onClick);
  return button;
}

/**
 * A box to tick, with its label around it.
 *
 * @param {string} text
 * @param {(on: boolean) => void} onChange
 * @param {{ value?: string, className?: string }} [properties] className of the label
 */
export function tick(text, onChange, { value = text, className = "xw-field" } = {}) {
  const input = make("input", { type: "checkbox", value });
  input.addEventListener("change", () => onChange(input.checked));
  return { label: make("label", { className }, input, text), input };
}

/** Where it is said what went wrong. */
export function makeAlert() {
  return make("div", { className: "xw-alert", role: "alert", hidden: true });
}

/**
 * Says what went wrong, once; "" for nothing.
 *
 * @param {HTMLElement} alert
 * @param {string} text
 */
export function warn(alert, text) {
  if (alert.textContent !== text) alert.textContent = text;
  alert.hidden = !text;
}

/**
 * Keeps the keys of the controls in an element from JupyterLab, whose shortcuts they would be.
 *
 * @param {HTMLElement} part
 */
export function keepKeys(part) {
  const controls = part.querySelectorAll("[tabindex], input, select, button, summary");
  for (const control of [part, ...controls]) {
    if (control instanceof HTMLElement) control.dataset.lmSuppressShortcuts = "true";
  }
}
