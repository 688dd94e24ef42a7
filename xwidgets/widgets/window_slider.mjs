// A slider for the window size.

/** "10 × 10 pixels" */
export function sizeText(value) {
  return `${value} × ${value} pixels`;
}

function render({ model, el }) {
  const label = document.createElement("label");
  label.className = "xw-control xw-window-slider";
  const name = document.createElement("span");
  name.textContent = "Window";
  const input = document.createElement("input");
  input.type = "range";
  input.step = "1";
  input.dataset.lmSuppressShortcuts = "true";
  input.setAttribute("aria-label", "window size in pixels");
  const output = document.createElement("output");
  label.append(name, input, output);
  el.append(label);

  const update = () => {
    input.min = model.get("min");
    input.max = model.get("max");
    input.value = model.get("value");
    output.textContent = sizeText(model.get("value"));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => {
    model.set("value", Number(input.value));
    model.save_changes();
    update();
  });
  const changes = "change:value change:min change:max";
  model.on(changes, update);
  update();
  model.send({ type: "shown" });
  return () => model.off(changes, update);
}

export default { render };
