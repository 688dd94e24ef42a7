// The neurons of a network as a table, ranked by one metric and compared with others.
//
// Ranks, top sets and order are worked out when the numbers or the choices change; scrolling only
// makes the rows that come into sight.

export const ROW = 36; // pixels, as in the style sheet
const SPARE = 4; // rows made above and below those in sight

/** "activation precision" */
export function metricName(metric) {
  return metric.replaceAll("_", " ");
}

/** "conv 5 · features.10" */
export function layerName({ name, convolution }) {
  return convolution === null ? name : `conv ${convolution} · ${name}`;
}

/** Three significant digits; "–" for a number that there is not. */
export function digits(value) {
  if (Number.isNaN(value)) return "–";
  const sign = value < 0 ? "−" : "";
  const size = Math.abs(value);
  if (size === Infinity) return `${sign}∞`;
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e6) return sign + size.toExponential(2).replace("e+", "e").replace("e-", "e−");
  const text = size.toPrecision(3);
  return sign + (text.includes("e") ? Number(text) : text);
}

/** "42 %"; "–" where there is no share. */
export function percent(share) {
  return Number.isNaN(share) ? "–" : `${Math.round(100 * share)} %`;
}

/** One line on how far the computation is. */
export function status({ state, share = 0 }) {
  if (state === "computing") return percent(share);
  return state === "stopped" ? `stopped at ${percent(share)}` : state;
}

/** What tells neurons apart. */
export function id([layer, channel]) {
  return `${layer} ${channel}`;
}

/** The table's bytes as arrays of one number a neuron. */
export function read(table, metrics, layers) {
  // Bytes in a message start anywhere, arrays of numbers do not: they are copied.
  const numbers = (view, Type) =>
    new Type(view ? view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) : 0);
  const layer = numbers(table.layer, Int32Array);
  const channel = numbers(table.channel, Int32Array);
  const importance = numbers(table.importance, Float64Array);
  const count = layer.length;
  return {
    layer,
    channel,
    activation: numbers(table.activation, Float64Array),
    importance: Object.fromEntries(metrics.map((metric, row) =>
      [metric, importance.subarray(row * count, (row + 1) * count)])),
    pairs: Array.from(layer, (place, at) => [layers[place].name, channel[at]]),
  };
}

/** Orders numbers upwards (sign 1) or downwards (-1), NaN last either way. */
function compare(a, b, sign) {
  return Number.isNaN(a) - Number.isNaN(b) || sign * ((a > b) - (a < b));
}

/** 1 for the most important neuron of each layer; 0 for those that are not ranked. */
export function ranks({ layer, channel, activation, importance }, metric, minimum) {
  const values = importance[metric];
  const order = [...values.keys()]
    .filter((at) => metric !== "activation_precision" || activation[at] >= minimum)
    .sort((a, b) => layer[a] - layer[b] || compare(values[a], values[b], -1) || channel[a] - channel[b]);
  const found = new Int32Array(values.length);
  order.forEach((at, i) => {
    const before = order[i - 1];
    found[at] = i > 0 && layer[before] === layer[at] ? found[before] + 1 : 1;
  });
  return found;
}

/** Values over the best of their layer; NaN for the negative and the unranked. Where the best is
 * infinite, the others are compared with the best finite one. */
export function shares({ layer }, values, ranked) {
  const best = [];
  values.forEach((value, at) => {
    if (ranked[at] && Number.isFinite(value)) best[layer[at]] = Math.max(best[layer[at]] ?? 0, value);
  });
  return Float64Array.from(values, (value, at) => {
    if (!ranked[at] || value < 0) return NaN;
    return value === Infinity ? 1 : value / best[layer[at]];
  });
}

/** What the table shows of one metric; `inTop` marks the best `top` (0: all) of each shown layer. */
export function measure(neurons, metric, { top, minimum, shown }) {
  const values = neurons.importance[metric];
  const ranked = ranks(neurons, metric, minimum);
  const inTop = Uint8Array.from(ranked, (rank, at) =>
    shown.has(neurons.layer[at]) && rank > 0 && (top === 0 || rank <= top));
  return { metric, values, ranks: ranked, shares: shares(neurons, values, ranked), inTop };
}

/** The neurons in at least one of the top sets. */
export function union(columns) {
  return [...columns[0].inTop.keys()].filter((at) => columns.some(({ inTop }) => inTop[at]));
}

/** The neurons in all of the top sets. */
export function shared(columns) {
  return union(columns).filter((at) => columns.every(({ inTop }) => inTop[at]));
}

/** |A ∩ B| / |A ∪ B| of two top sets; NaN when both are empty. */
export function jaccard(one, other) {
  return shared([one, other]).length / union([one, other]).length;
}

/** How many neurons of the shown layers are active enough for the precision. */
export function remaining({ layer, activation }, minimum, shown) {
  const all = [...activation].filter((_, at) => shown.has(layer[at]));
  return {
    count: all.filter((mean) => mean >= minimum).length,
    total: all.length,
    largest: all.reduce((a, b) => Math.max(a, b), 0),
  };
}

/** What to say where neurons are missing; "" where they are not. */
export function emptiness({ count, total, largest }, { ticked, byActivity }) {
  if (!ticked) return "No layer is ticked.";
  if (!total) return "Nothing is computed yet.";
  if (count || !byActivity) return "";
  return `No neuron is active enough for the precision: the largest mean activation is ${digits(largest)}.`;
}

/** Whether a neuron is looked for: a number finds channels, other text layers. */
export function matches(text, layer, channel) {
  const sought = text.trim().toLowerCase();
  return /^\d+$/.test(sought) ? Number(sought) === channel : layerName(layer).toLowerCase().includes(sought);
}

export const DEFAULT_ORDER = { by: "layer", down: false };

/** The order after a press on a column's header. */
export function ordered(order, by, metric) {
  const same = order.by === by && order.metric === metric;
  return { by, metric, down: same ? !order.down : by === "value" || by === "share" };
}

/** Rows by a column; ties by layer, then rank by the first metric, then channel. */
export function sorted(rows, { layer, channel }, columns, { by, metric, down }) {
  const rank = (column) => (at) => column.ranks[at] || NaN;
  const column = columns.find((each) => each.metric === metric);
  const key = {
    layer: (at) => layer[at],
    channel: (at) => channel[at],
    value: (at) => column.values[at],
    rank: (at) => rank(column)(at),
    share: (at) => column.shares[at],
  }[by];
  const first = rank(columns[0]);
  return [...rows].sort((a, b) => compare(key(a), key(b), down ? -1 : 1)
    || layer[a] - layer[b] || compare(first(a), first(b), 1) || channel[a] - channel[b]);
}

/** The chosen metrics when another one is to rank; one that was compared changes places. */
export function rankedBy(chosen, metric) {
  const rest = chosen.includes(metric) ? chosen.filter((each) => each !== metric) : chosen.slice(1);
  return [metric, ...rest];
}

/** The chosen metrics when one is compared, or no longer. */
export function compared(chosen, metric, on) {
  const rest = chosen.filter((each) => each !== metric);
  return on ? [...rest, metric] : rest;
}

/** The row to which a key moves from row `at` (-1: none); null for other keys. */
export function moved(at, key, count, page) {
  const moves = {
    ArrowUp: at - 1,
    ArrowDown: at + 1,
    PageUp: at - page,
    PageDown: at + page,
    Home: 0,
    End: count - 1,
  };
  if (!(key in moves) || count === 0) return null;
  return Math.max(0, Math.min(count - 1, moves[key]));
}

/** The selection after row `at` of the listed neurons was chosen. */
export function selection(selected, listed, at, { extend = false, toggle = false, anchor = at }) {
  const without = (these) => {
    const gone = new Set(these.map(id));
    return selected.filter((neuron) => !gone.has(id(neuron)));
  };
  if (extend) {
    const range = listed.slice(Math.min(anchor, at), Math.max(anchor, at) + 1);
    if (at < anchor) range.reverse();
    return toggle ? [...without(range), ...range] : range;
  }
  const rest = toggle ? without([listed[at]]) : [];
  return toggle && rest.length < selected.length ? rest : [...rest, listed[at]];
}

/** The first row to make and the one after the last. */
export function inSight(scrolled, height, count) {
  const first = Math.floor(scrolled / ROW) - SPARE;
  const end = Math.ceil((scrolled + height) / ROW) + SPARE;
  return [Math.max(0, first), Math.min(count, end)];
}

/** How far to scroll so that row `at` is in sight. */
export function scrolledTo(at, scrolled, height) {
  return Math.max(Math.min(scrolled, at * ROW), (at + 1) * ROW - height);
}

/** Grey RGBA pixels. */
export function grey(values) {
  const pixels = new Uint8ClampedArray(4 * values.length).fill(255);
  values.forEach((value, at) => pixels.fill(value, 4 * at, 4 * at + 3));
  return pixels;
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function tick(name, value, onChange) {
  const box = make("input", { type: "checkbox", value });
  box.addEventListener("change", () => onChange(box.checked));
  return make("label", { className: "xw-field" }, box, name);
}

function press(textContent, onClick) {
  const button = make("button", { type: "button", textContent });
  button.addEventListener("click", onClick);
  return button;
}

/** Keys in these elements are theirs, not JupyterLab's. */
function keepKeys(part) {
  for (const element of part.querySelectorAll("[tabindex], input, select, button, summary")) {
    element.dataset.lmSuppressShortcuts = "true";
  }
}

function render({ model, el }) {
  const unique = Math.random().toString(36).slice(2);
  const metrics = model.get("metrics");
  let neurons;
  let columns; // what is shown of each chosen metric
  let rows; // the neurons in a top set
  let common; // those in all of them
  let listed; // the rows that the filter leaves, in order
  let pairs; // what they are: [layer, channel]
  let places; // where each id is in the list
  let order = DEFAULT_ORDER;
  let active = null; // the id of the row that keys start from
  let anchor = null; // and of the one that Shift extends from
  let selected; // ids
  const drawn = new Map(); // the rows that are made, by their place in the list
  const canvases = []; // of rows that were removed; making one is the slowest part of a row

  const put = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };

  const heading = make("div", { className: "xw-heading" });
  const first = make("select", {},
    ...metrics.map((metric) => make("option", { value: metric, textContent: metricName(metric) })));
  first.addEventListener("change", () => put("chosen", rankedBy(model.get("chosen"), first.value)));
  const others = make("div", { className: "xw-ticks" }, ...metrics.map((metric) =>
    tick(metricName(metric), metric, (on) => put("chosen", compared(model.get("chosen"), metric, on)))));
  const othersTitle = make("summary");
  const top = make("input", { type: "number", min: "1", step: "1", required: true, value: "5" });
  top.addEventListener("input", () => top.checkValidity() && put("top", top.valueAsNumber));
  const everything = tick("all", "all", (on) => put("top", on ? 0 : top.valueAsNumber || 5));
  const minimum = make("input", { type: "number", min: "0", step: "any", required: true });
  minimum.addEventListener("input", () => minimum.checkValidity() && put("minimum", minimum.valueAsNumber));
  const enough = make("output");
  const activity = make("label", { className: "xw-field" }, "Mean activation at least", minimum, enough);
  const filter = make("input", { type: "search", placeholder: "layer or channel" });
  filter.addEventListener("input", list);
  const layers = make("div", { className: "xw-ticks" });
  const layersTitle = make("summary");
  const boxes = () => [...layers.querySelectorAll("input")];
  const tickAll = (on) => {
    for (const box of boxes()) box.checked = on;
    putLayers();
  };
  const controls = make("div", { className: "xw-controls" },
    make("label", { className: "xw-field" }, "Ranked by", first),
    make("div", { className: "xw-field" },
      make("label", { className: "xw-field" }, "Best of each layer", top), everything),
    activity,
    make("label", { className: "xw-field" }, "Find", filter),
    make("details", {}, othersTitle, others),
    make("details", {}, layersTitle,
      make("div", { className: "xw-ticks" }, press("All", () => tickAll(true)), press("None", () => tickAll(false))),
      layers));

  const alert = make("div", { className: "xw-alert", role: "alert", hidden: true });
  const bar = make("progress", { max: 1, ariaLabel: "share computed" });
  const line = make("span", { className: "xw-status" });
  const stop = press("Stop", () => {
    model.send({ type: model.get("progress").state === "stopped" ? "resume" : "stop" });
  });
  const spoken = make("span", { className: "xw-spoken", role: "status" });
  const work = make("div", { className: "xw-work" }, bar, line, stop, spoken);

  const overlap = make("div", { className: "xw-overlap" });
  const note = make("div", { className: "xw-note", role: "status" });
  const head = make("div", { className: "xw-head", role: "rowgroup" });
  const body = make("div", { className: "xw-body", role: "rowgroup" });
  const grid = make("div", { className: "xw-grid", role: "grid", tabIndex: 0, ariaMultiSelectable: "true" },
    head, body);
  const count = make("div", { role: "status" });
  const hint = make("div", {
    id: `${unique}-hint`,
    className: "xw-quiet",
    textContent: "Click a neuron to select it, with Ctrl or Shift to select more. "
      + "Keys: arrows, Shift with arrows, Space, Ctrl+A, Escape.",
  });
  grid.setAttribute("aria-describedby", hint.id);
  const view = make("div", { className: "xw-view xw-ranking" },
    heading, controls, alert, work, overlap, note, grid, count, hint);
  keepKeys(view);
  el.append(view);

  function readTable() {
    neurons = read(model.get("table"), metrics, model.get("layers"));
  }

  function measureAll() {
    const shown = new Set(boxes().flatMap((box, at) => (box.checked ? [at] : [])));
    const choices = { top: model.get("top"), minimum: model.get("minimum"), shown };
    columns = model.get("chosen").map((metric) => measure(neurons, metric, choices));
    rows = union(columns);
    common = new Set(columns.length > 1 ? shared(columns) : []);
    const left = remaining(neurons, choices.minimum, shown);
    activity.hidden = columns.every(({ metric }) => metric !== "activation_precision");
    enough.textContent = left.total ? `${left.count} of ${left.total} active enough` : "";
    note.textContent = emptiness(left, { ticked: shown.size, byActivity: !activity.hidden });
    showOverlap();
    list();
  }

  function list() {
    const known = model.get("layers");
    const found = rows.filter((at) => matches(filter.value, known[neurons.layer[at]], neurons.channel[at]));
    listed = sorted(found, neurons, columns, order);
    pairs = listed.map((at) => neurons.pairs[at]);
    places = new Map(pairs.map((pair, at) => [id(pair), at]));
    for (const cell of head.querySelectorAll("[aria-sort]")) {
      const sorts = cell.dataset.of === id([order.by, order.metric]);
      cell.ariaSort = sorts ? (order.down ? "descending" : "ascending") : "none";
    }
    body.style.height = `${ROW * listed.length}px`;
    grid.ariaRowCount = listed.length + head.childElementCount;
    removeRows(() => true);
    showSelection();
    drawRows();
  }

  /** The height in which rows are seen. */
  function height() {
    return grid.clientHeight - head.offsetHeight;
  }

  function drawRows() {
    const [from, end] = inSight(grid.scrollTop, height(), listed.length);
    removeRows((at) => at < from || at >= end);
    for (let at = end - 1; at >= from; at--) {
      if (drawn.has(at)) continue;
      const row = makeRow(at);
      markRow(row, at);
      body.insertBefore(row, drawn.get(at + 1) ?? null);
      drawn.set(at, row);
    }
  }

  function removeRows(which) {
    for (const [at, row] of drawn) {
      if (!which(at)) continue;
      canvases.push(row.querySelector("canvas"));
      row.remove();
      drawn.delete(at);
    }
  }

  function makeRow(at) {
    const neuron = listed[at];
    const layer = model.get("layers")[neurons.layer[neuron]];
    const cell = (className, ...children) => make("div", { className, role: "gridcell" }, ...children);
    const star = make("span", { className: "xw-star", role: "img", ariaLabel: "in all top sets", textContent: "★" });
    const name = layer.convolution === null ? [] : [make("span", { textContent: `conv ${layer.convolution}` })];
    const row = make("div", { id: `${unique}-${at}`, className: "xw-cells xw-row", role: "row" },
      cell("xw-mark"),
      cell("xw-layer", ...name, make("span", { textContent: layer.name, title: layer.name })),
      cell("", ...(common.has(neuron) ? [star] : []), String(neurons.channel[neuron])),
      cell("xw-map", thumbnail(neuron)),
      ...columns.flatMap((column) => {
        const rank = make("span", { textContent: column.ranks[neuron] || "–" });
        if (column.inTop[neuron]) Object.assign(rank, { className: "xw-top", title: "in the top set" });
        const share = column.shares[neuron];
        const length = make("i");
        length.style.width = `${100 * (share || 0)}%`;
        return [
          cell("xw-value", digits(column.values[neuron])),
          cell("", rank),
          cell("xw-share", make("span", { className: "xw-bar" }, length),
            make("span", { className: "xw-percent", textContent: percent(share) })),
        ];
      }));
    row.ariaRowIndex = at + 1 + head.childElementCount;
    row.classList.toggle("xw-common", common.has(neuron));
    row.dataset.at = at;
    row.style.transform = `translateY(${ROW * at}px)`;
    return row;
  }

  function thumbnail(neuron) {
    const { data, height, width } = model.get("maps");
    const canvas = canvases.pop() ?? make("canvas", { role: "img", ariaLabel: "feature map" });
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const values = new Uint8Array(data.buffer, data.byteOffset + neuron * height * width, height * width);
    canvas.getContext("2d").putImageData(new ImageData(grey(values), width, height), 0, 0);
    return canvas;
  }

  function markRow(row, at) {
    const name = id(pairs[at]);
    row.ariaSelected = String(selected.has(name));
    row.classList.toggle("xw-active", name === active);
  }

  function showSelection() {
    selected = new Set(model.get("selected").map(id));
    for (const [at, row] of drawn) markRow(row, at);
    const unlisted = [...selected].filter((name) => !places.has(name)).length;
    count.textContent = `${listed.length} neurons listed, ${selected.size} selected`
      + (unlisted ? `, ${unlisted} of them not listed` : "");
    if (places.has(active)) grid.setAttribute("aria-activedescendant", `${unique}-${places.get(active)}`);
    else grid.removeAttribute("aria-activedescendant");
  }

  function showOverlap() {
    overlap.hidden = columns.length < 2;
    const sets = columns.length === 2 ? "both top sets" : `all ${columns.length} top sets`;
    const words = `${common.size} of ${rows.length} neurons are in ${sets} (★)`;
    if (columns.length === 2) {
      const index = make("b", { textContent: `Jaccard index ${digits(jaccard(...columns))}` });
      overlap.replaceChildren(index, `: ${words}`);
      return;
    }
    const title = (scope) => ({ metric }) => make("th", { scope, textContent: metricName(metric) });
    const entries = (column, at) => columns.slice(0, at + 1).map((other) =>
      make("td", { textContent: digits(jaccard(other, column)) }));
    overlap.replaceChildren(
      make("table", {},
        make("caption", { textContent: "Jaccard index of the top sets" }),
        make("tr", {}, make("td"), ...columns.slice(0, -1).map(title("col"))),
        ...columns.slice(1).map((column, at) => make("tr", {}, title("row")(column), ...entries(column, at)))),
      words);
  }

  function showChosen() {
    const chosen = model.get("chosen");
    first.value = chosen[0];
    othersTitle.textContent = `Compared with: ${chosen.slice(1).map(metricName).join(", ") || "none"}`;
    for (const label of others.children) {
      label.hidden = label.control.value === chosen[0];
      label.control.checked = chosen.includes(label.control.value);
    }
    if (order.metric && !chosen.includes(order.metric)) order = DEFAULT_ORDER;
    showHead();
  }

  function showHead() {
    const chosen = model.get("chosen");
    const title = (properties) => make("div", { role: "columnheader", ...properties });
    const column = (by, metric) => {
      const button = press(by, () => {
        order = ordered(order, by, metric);
        list();
      });
      if (metric) button.ariaLabel = `${by}, ${metricName(metric)}`;
      if (by === "share") button.title = "share of the best value of the layer";
      const cell = title({ className: `xw-${by}`, ariaSort: "none" });
      cell.dataset.of = id([by, metric]);
      cell.append(button);
      return cell;
    };
    head.replaceChildren(
      make("div", { className: "xw-cells", role: "row", ariaRowIndex: 1 },
        title({ className: "xw-neuron", ariaColSpan: 4, textContent: "neuron" }),
        ...chosen.map((metric) =>
          title({ className: "xw-metric", ariaColSpan: 3, textContent: metricName(metric) }))),
      make("div", { className: "xw-cells", role: "row", ariaRowIndex: 2 },
        title({ ariaLabel: "selected" }), column("layer"), column("channel"), title({ textContent: "map" }),
        ...chosen.flatMap((metric) => ["value", "rank", "share"].map((by) => column(by, metric)))));
    keepKeys(head);
    view.style.setProperty("--xw-metrics", chosen.length);
    grid.ariaLabel = `Neurons by ${metricName(chosen[0])}`;
  }

  function showLimits() {
    everything.control.checked = top.disabled = model.get("top") === 0;
    if (!top.disabled && top.valueAsNumber !== model.get("top")) top.value = model.get("top");
    if (minimum.valueAsNumber !== model.get("minimum")) minimum.value = model.get("minimum");
  }

  function makeLayers() {
    layers.replaceChildren(...model.get("layers").map((layer) => tick(layerName(layer), layer.name, putLayers)));
    keepKeys(layers);
    showLayers();
  }

  /** No name stands for all layers; that none is ticked stays between this view and its reader. */
  function putLayers() {
    const names = boxes().filter((box) => box.checked).map((box) => box.value);
    if (names.length) put("shown_layers", names.length === boxes().length ? [] : names);
    countLayers();
    measureAll();
  }

  function showLayers() {
    const names = model.get("shown_layers");
    for (const box of boxes()) box.checked = !names.length || names.includes(box.value);
    countLayers();
  }

  function countLayers() {
    const [ticked, known] = [boxes().filter((box) => box.checked).length, boxes().length];
    layersTitle.textContent = `Layers: ${ticked === known ? "all" : `${ticked} of ${known}`}`;
  }

  function showTarget() {
    heading.textContent = ["Neurons", model.get("target")].filter(Boolean).join(" for ");
  }

  function showProgress() {
    const progress = model.get("progress");
    work.dataset.state = progress.state;
    bar.value = progress.share ?? 0;
    line.textContent = status(progress);
    if (spoken.textContent !== progress.state) spoken.textContent = progress.state;
    stop.hidden = !["computing", "stopped"].includes(progress.state);
    stop.textContent = progress.state === "stopped" ? "Continue" : "Stop";
    alert.hidden = progress.state !== "failed";
    alert.textContent = progress.state === "failed" ? `The ranking could not be computed: ${progress.message}` : "";
    grid.ariaBusy = String(progress.state === "computing");
  }

  /** Goes to row `at`, and chooses it where it is said how. */
  function go(at, how) {
    const from = places.get(anchor) ?? at;
    active = id(pairs[at]);
    if (!how?.extend || !places.has(anchor)) anchor = active;
    grid.scrollTop = scrolledTo(at, grid.scrollTop, height());
    drawRows();
    if (how) put("selected", selection(model.get("selected"), pairs, at, { ...how, anchor: from }));
    showSelection();
  }

  grid.addEventListener("scroll", drawRows);
  grid.addEventListener("keydown", (event) => {
    if (event.target !== grid || event.altKey) return;
    const { key, shiftKey: extend } = event;
    const control = event.ctrlKey || event.metaKey;
    const from = places.get(active) ?? -1;
    const to = moved(from, key, listed.length, Math.floor(height() / ROW) - 1);
    if (to !== null) go(to, control && !extend ? undefined : { extend, toggle: control });
    else if (key === " " && from >= 0) go(from, { toggle: true });
    else if (key === "a" && control) put("selected", pairs);
    else if (key === "Escape" && selected.size) put("selected", []);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  body.addEventListener("click", (event) => {
    const row = event.target.closest(".xw-row");
    const toggle = event.ctrlKey || event.metaKey || event.target.closest(".xw-mark") !== null;
    if (row) go(Number(row.dataset.at), { extend: event.shiftKey, toggle });
  });
  const sizes = new ResizeObserver(drawRows);
  sizes.observe(grid);

  const measured = (update) => () => {
    update();
    measureAll();
  };
  const heard = {
    "change:layers": measured(() => {
      makeLayers();
      readTable();
    }),
    "change:table change:maps": measured(readTable),
    "change:chosen": measured(showChosen),
    "change:top change:minimum": measured(showLimits),
    "change:shown_layers": measured(showLayers),
    "change:selected": showSelection,
    "change:target": showTarget,
    "change:progress": showProgress,
  };
  for (const [names, update] of Object.entries(heard)) model.on(names, update);
  showTarget();
  showProgress();
  makeLayers();
  showChosen();
  showLimits();
  readTable();
  measureAll();
  model.send({ type: "shown" });
  const leave = () => model.send({ type: "hidden" });
  window.addEventListener("pagehide", leave);

  return () => {
    window.removeEventListener("pagehide", leave);
    for (const [names, update] of Object.entries(heard)) model.off(names, update);
    sizes.disconnect();
    leave();
  };
}

export default { render };
