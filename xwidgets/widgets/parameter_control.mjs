// A control for one parameter of a method: a slider, a choice or a switch.

/** A value in words: "10 × 10 pixels", "8 × 16 pixels", "0.35", "0.5, 0.4, 0.3". */
export function told(value, unit) {
  const several = Array.isArray(value) ? value : [value];
  const numbers = several.map((one) => Number(Number(one).toPrecision(6)).toString());
  if (unit === "pixels") return `${numbers[0]} × ${numbers.at(-1)} pixels`;
  return [numbers.join(", "), unit].filter(Boolean).join(" ");
}

/** Where a slider stands for a value; for several numbers at the largest. */
export function position(value) {
  return Array.isArray(value) ? Math.max(...value) : value;
}

/** What stands beside a control, with the side that it is for: "Window", "Window (left)". */
export function called(label, side) {
  return side ? `${label} (${side})` : label;
}

/** What a slider is called for those who do not see it: "window in pixels". */
export function spoken(label, unit) {
  return [label.toLowerCase(), unit].filter(Boolean).join(" in ");
}

const INPUTS = {
  range(put) {
    const input = Object.assign(document.createElement("input"), { type: "range" });
    const output = document.createElement("output");
    input.addEventListener("input", () => put(Number(input.value)));
    return {
      elements: [input, output],
      input,
      update(model) {
        input.min = model.get("min");
        input.max = model.get("max");
        input.step = model.get("step");
        input.value = position(model.get("value"));
        output.textContent = told(model.get("value"), model.get("unit"));
        input.setAttribute("aria-valuetext", output.textContent);
      },
    };
  },
  choice(put) {
    const input = document.createElement("select");
    input.addEventListener("change", () => put(input.value));
    return {
      elements: [input],
      input,
      update(model) {
        const options = model.get("options");
        if (String([...input.options].map((one) => one.value)) !== String(options)) {
          input.replaceChildren(...options.map((one) => new Option(one, one)));
        }
        input.value = model.get("value");
      },
    };
  },
  switch(put) {
    const input = Object.assign(document.createElement("input"), { type: "checkbox" });
    input.addEventListener("change", () => put(input.checked));
    return {
      elements: [input],
      input,
      update(model) {
        input.checked = model.get("value");
      },
    };
  },
};

function render({ model, el }) {
  const label = document.createElement("label");
  label.className = "xw-control xw-parameter";
  const name = document.createElement("span");
  const alert = Object.assign(document.createElement("div"), { className: "xw-alert" });
  alert.setAttribute("role", "alert");
  const view = document.createElement("div");
  view.className = "xw-view";
  view.append(label, alert);
  el.append(view);

  const put = (value) => {
    model.set("value", value);
    model.save_changes();
    update();
  };
  let kind = null;
  let control = null;
  const update = () => {
    view.hidden = !(model.get("kind") in INPUTS);
    if (view.hidden) return;
    if (kind !== model.get("kind")) {
      kind = model.get("kind");
      control = INPUTS[kind](put);
      control.input.dataset.lmSuppressShortcuts = "true";
      label.replaceChildren(name, ...control.elements);
    }
    name.textContent = called(model.get("label"), model.get("side"));
    label.title = model.get("line");
    control.input.setAttribute("aria-label", spoken(name.textContent, model.get("unit")));
    control.update(model);
    alert.textContent = model.get("message");
    alert.hidden = !model.get("message");
  };
  const names = ["kind", "label", "side", "line", "unit", "value", "min", "max", "step", "options", "message"];
  for (const one of names) model.on(`change:${one}`, update);
  update();
  model.send({ type: "shown" });
  return () => {
    for (const one of names) model.off(`change:${one}`, update);
  };
}

export default { render };
