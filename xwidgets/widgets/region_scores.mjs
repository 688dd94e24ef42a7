// The class scores with and without a region, and samples of what it is filled with.

/** "99.3 %", "< 0.1 %". */
export function percent(share) {
  return share > 0 && share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`;
}

/** "+7.97", "−0.30", "0.00". */
export function signed(value) {
  const size = Math.abs(value).toFixed(2);
  return Number(size) === 0 ? size : `${value < 0 ? "−" : "+"}${size}`;
}

/** "+7.97 ± 0.18 bits"; without error where it is not known; "" without evidence. */
export function evidence({ evidence: value, error }) {
  if (value === null) return "";
  return `${signed(value)}${error === null ? "" : ` ± ${error.toFixed(2)}`} bits`;
}

/** One line on how far the computation is. */
export function status({ pixels, scored, samples, progress: { state, share = 0 } }) {
  if (state === "failed") return "failed";
  if (!pixels) return "paint a region to remove it";
  if (state === "stopped") return `stopped at ${Math.round(100 * share)} %`;
  if (state === "complete") return scored === 1 ? "one filling" : `mean of ${scored} samples`;
  if (share < 0.5) return `filling the region: ${Math.round(200 * share)} %`;
  return `${Math.round((2 * share - 1) * samples)} of ${samples} samples`;
}

/** What is said of the first class once the computation is over. */
export function spoken([first]) {
  if (!first || first.after === null) return "";
  return `${first.name}: ${percent(first.before)} with the region, ${percent(first.after)} without`;
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function url(png) {
  return URL.createObjectURL(new Blob([png], { type: "image/png" }));
}

/** Shows PNG files as images, which are made anew as others come. */
function show(place, pngs, alt) {
  for (const { src } of place.querySelectorAll("img")) URL.revokeObjectURL(src);
  place.replaceChildren(...pngs.map((png, at) =>
    make("img", { src: url(png), alt: alt(at), draggable: false })));
}

function bar(kind, share) {
  const fill = make("span", { className: `xw-${kind}` });
  fill.style.width = `${100 * share}%`;
  return make("span", { className: "xw-track" }, fill);
}

function line(row) {
  const known = [["with", row.before], ["without", row.after]].filter(([, share]) => share !== null);
  const shares = make("td", { className: "xw-shares" }, ...known.map(([kind, share]) =>
    make("span", { className: "xw-share" }, bar(kind, share), make("span", { textContent: percent(share) }))));
  const sign = Math.abs(row.evidence ?? 0) < 0.005 ? "" : row.evidence > 0 ? "xw-for" : "xw-against";
  const name = make("th", { scope: "row", textContent: row.name, title: row.name });
  return make("tr", {}, name, shares, make("td", { className: `xw-evidence ${sign}`, textContent: evidence(row) }));
}

function render({ model, el }) {
  const view = make("div", { className: "xw-view xw-region-scores" });
  const marked = make("div", { className: "xw-marked" });
  const state = make("div", { className: "xw-status" });
  const progress = make("progress", { max: 1 });
  progress.setAttribute("aria-label", "progress");
  const said = make("div", { className: "xw-spoken" });
  said.setAttribute("role", "status");
  const alert = make("div", { className: "xw-alert", hidden: true });
  alert.setAttribute("role", "alert");
  const body = make("tbody");
  const key = make("span", { className: "xw-key" },
    make("span", { className: "xw-with" }), "with", make("span", { className: "xw-without" }), "without");
  const table = make("table", {},
    make("caption", { textContent: "What is predicted with the region and without" }),
    make("thead", {}, make("tr", {},
      make("th", { scope: "col", textContent: "class" }),
      make("th", { scope: "col", className: "xw-shares" }, key),
      make("th", { scope: "col", className: "xw-evidence", textContent: "evidence of the region" }))),
    body);
  const crop = make("div", { className: "xw-crop" });
  const contents = make("div", { className: "xw-contents" });
  const samples = make("section", { className: "xw-samples" },
    make("figure", {}, crop, make("figcaption", { textContent: "as it is" })),
    make("figure", { className: "xw-many" }, contents, make("figcaption", { textContent: "what could have been there" })));
  view.append(marked, make("div", { className: "xw-work" }, state, progress), alert, table, samples, said);
  el.append(view);

  const update = () => {
    const [rows, work] = [model.get("rows"), model.get("progress")];
    const computing = work.state === "computing";
    state.textContent = status({
      pixels: model.get("pixels"), scored: model.get("scored"), samples: model.get("samples"), progress: work,
    });
    progress.hidden = !computing;
    progress.value = work.share ?? 0;
    alert.textContent = work.message ?? "";
    alert.hidden = !alert.textContent;
    body.replaceChildren(...rows.map(line));
    view.classList.toggle("xw-stale", computing && (work.share ?? 0) <= 0.5);
    view.classList.toggle("xw-coarse", model.get("coarse"));
    if (work.state === "complete") said.textContent = spoken(rows);
  };
  const draw = () => {
    const pngs = model.get("contents");
    samples.hidden = pngs.length === 0;
    show(contents, pngs, (at) => `sample ${at + 1}`);
  };
  const frame = () => {
    show(crop, model.get("crop").byteLength ? [model.get("crop")] : [], () => "the region as it is");
    const whole = model.get("marked");
    marked.hidden = whole.byteLength === 0;
    show(marked, marked.hidden ? [] : [whole], () => "the picture with the region marked");
  };
  const changes = {
    update: ["rows", "progress", "pixels", "scored", "samples", "coarse"], draw: ["contents"], frame: ["crop", "marked"],
  };
  const callbacks = { update, draw, frame };
  for (const [name, callback] of Object.entries(callbacks)) {
    model.on(changes[name].map((trait) => `change:${trait}`).join(" "), callback);
    callback();
  }
  model.send({ type: "shown" });
  return () => {
    for (const [name, callback] of Object.entries(callbacks)) {
      model.off(changes[name].map((trait) => `change:${trait}`).join(" "), callback);
    }
    for (const { src } of view.querySelectorAll("img")) URL.revokeObjectURL(src);
    model.send({ type: "hidden" });
  };
}

export default { render };
