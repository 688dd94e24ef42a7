// The brush, and how a region is filled; beside a canvas of ipycanvas, whose manners it mends.

export const FILLS = {
  conditional: "what goes with the surroundings",
  marginal: "what other pictures show there",
  grey: "grey",
};

/** "1 pixel", "812 pixels"; "no pixels" for none. */
export function count(pixels) {
  return pixels === 1 ? "1 pixel" : `${pixels || "no"} pixels`;
}

/** What is wrong with a rectangle in a picture of this shape; "" when nothing is. */
export function fault({ top, left, height, width }, [rows, columns]) {
  if (![top, left, height, width].every(Number.isInteger)) return "The rectangle needs four whole numbers.";
  if (height < 1 || width < 1) return "The rectangle needs a height and a width of at least 1.";
  if (top < 0 || left < 0 || top + height > rows || left + width > columns) {
    return `The rectangle reaches out of the picture of ${rows} × ${columns} pixels.`;
  }
  return "";
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function field(name, value) {
  const input = make("input", { type: "number", step: "1", value });
  input.dataset.lmSuppressShortcuts = "true";
  return { input, label: make("label", {}, name, input) };
}

/** Gives the canvas a name, its pointers when they leave it, and keys and wheel back to the page. */
function mend(canvas) {
  canvas.tabIndex = -1;
  canvas.setAttribute("role", "img");
  canvas.dataset.lmSuppressShortcuts = "true";
  canvas.focus = () => HTMLElement.prototype.focus.call(canvas, { preventScroll: true });
  const listeners = {
    keydown: (event) => event.stopImmediatePropagation(),
    wheel: (event) => event.stopImmediatePropagation(),
    mousedown: (event) => event.button && event.stopImmediatePropagation(),
    pointerdown: (event) => canvas.setPointerCapture(event.pointerId),
  };
  for (const [name, listener] of Object.entries(listeners)) {
    canvas.addEventListener(name, listener, { capture: true });
  }
}

function render({ model, el }) {
  const view = make("div", { className: "xw-view xw-region-tools" });

  const paint = make("button", { type: "button", textContent: "Paint" });
  const erase = make("button", { type: "button", textContent: "Erase" });
  const clear = make("button", { type: "button", textContent: "Clear" });
  const modes = make("span", { className: "xw-modes" }, paint, erase);
  modes.setAttribute("role", "group");
  modes.setAttribute("aria-label", "brush");
  const pixels = make("output", { className: "xw-quiet" });

  const brush = make("input", { type: "range", step: "1", min: "1" });
  brush.dataset.lmSuppressShortcuts = "true";
  brush.setAttribute("aria-label", "brush size in pixels");
  const size = make("output");
  const slider = make("label", { className: "xw-line" }, make("span", { textContent: "Brush" }), brush, size);

  const fill = make("select");
  fill.setAttribute("aria-label", "fill the region with");
  fill.dataset.lmSuppressShortcuts = "true";
  const filling = make("label", { className: "xw-line" }, make("span", { textContent: "Fill with" }), fill);

  const fields = { top: field("Top", 0), left: field("Left", 0), height: field("Height", 1), width: field("Width", 1) };
  const add = make("button", { type: "submit" });
  const alert = make("div", { className: "xw-alert", hidden: true });
  alert.setAttribute("role", "alert");
  const form = make("form", { noValidate: true }, ...Object.values(fields).map(({ label }) => label), add);
  const rectangle = make("details", {}, make("summary", { textContent: "Rectangle by numbers" }), form, alert);

  view.append(
    make("div", { className: "xw-line" }, modes, clear, pixels), slider, filling, rectangle,
  );
  el.append(view);

  const set = (name, value) => {
    model.set(name, value);
    model.save_changes();
    update();
  };
  paint.addEventListener("click", () => set("erase", false));
  erase.addEventListener("click", () => set("erase", true));
  clear.addEventListener("click", () => model.send({ type: "clear" }));
  brush.addEventListener("input", () => set("brush", Number(brush.value)));
  fill.addEventListener("change", () => set("fill", fill.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = Object.entries(fields).map(([name, { input }]) => [name, input.valueAsNumber]);
    const edges = Object.fromEntries(values);
    alert.textContent = fault(edges, model.get("shape"));
    alert.hidden = !alert.textContent;
    if (alert.hidden) model.send({ type: "rectangle", ...edges });
  });

  let mended = null;
  const watch = new MutationObserver(() => {
    const canvas = el.closest(".xw-painter")?.querySelector("canvas");
    if (!canvas || canvas === mended) return;
    mended = canvas;
    mend(canvas);
    update();
  });
  watch.observe(document.body, { childList: true, subtree: true });

  function update() {
    const erasing = model.get("erase");
    paint.setAttribute("aria-pressed", String(!erasing));
    erase.setAttribute("aria-pressed", String(erasing));
    add.textContent = erasing ? "Erase" : "Add";
    add.setAttribute("aria-label", `${add.textContent} the rectangle`);
    pixels.textContent = count(model.get("pixels"));
    clear.disabled = model.get("pixels") === 0;
    brush.max = model.get("largest");
    brush.value = model.get("brush");
    size.textContent = `${model.get("brush")} px`;
    brush.setAttribute("aria-valuetext", count(model.get("brush")));
    const names = model.get("fills");
    if (fill.length !== names.length) {
      fill.replaceChildren(...names.map((value) => make("option", { value, textContent: FILLS[value] })));
    }
    fill.value = model.get("fill");
    const [rows, columns] = model.get("shape");
    for (const [name, { input }] of Object.entries(fields)) {
      input.min = name === "top" || name === "left" ? 0 : 1;
      input.max = name === "top" || name === "height" ? rows : columns;
    }
    mended?.setAttribute("aria-label", `picture of ${rows} × ${columns} pixels, region of ${count(model.get("pixels"))}; `
      + "paint with the mouse, or add a rectangle by numbers");
  }
  const changes = ["brush", "largest", "erase", "fill", "fills", "shape", "pixels"].map((name) => `change:${name}`).join(" ");
  model.on(changes, update);
  update();
  model.send({ type: "shown" });
  return () => {
    model.off(changes, update);
    watch.disconnect();
  };
}

export default { render };
