// The signed relevance map over its picture.
//
// The picture is an <img>, the map a <canvas> of one canvas pixel a map pixel above it; both are
// scaled by the browser, so they are sharp at any device scale and no change of opacity, size or
// zoom draws anything anew.

export const UNKNOWN = -128; // the code of a pixel about which nothing is known yet
export const ERROR_UNKNOWN = 255; // the code of a standard error that is not known
const ERROR_LARGEST = 254; // the code of the largest standard error
const LARGEST = 127; // the code of the scale's end
const VEIL = 0.3; // opacity of zero, as in render.py

/** Colours of the codes -127 ... 127 from evenly spaced "#rrggbb" stops, as [r, g, b, r, g, b ...]. */
export function palette(stops) {
  const colors = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  const table = new Uint8ClampedArray(3 * (2 * LARGEST + 1));
  for (let code = -LARGEST; code <= LARGEST; code++) {
    const place = ((code + LARGEST) / (2 * LARGEST)) * (stops.length - 1);
    const below = Math.min(Math.floor(place), stops.length - 2);
    for (let channel = 0; channel < 3; channel++) {
      const [from, to] = [colors[below][channel], colors[below + 1][channel]];
      table[3 * (code + LARGEST) + channel] = from + (place - below) * (to - from);
    }
  }
  return table;
}

/** How opaque a share of the scale is: a veil at zero, so that the picture shows, full at a half. */
export function cover(share) {
  return Math.min(1, VEIL + 2 * (1 - VEIL) * Math.abs(share));
}

/**
 * RGBA pixels of int8 codes; unknown ones, those below the threshold and hidden ones are transparent.
 * `zoom` is how many times the scale of the codes is that of the colours.
 */
export function paint(codes, table, threshold, zoom = 1, hidden = () => false) {
  const pixels = new Uint8ClampedArray(4 * codes.length);
  for (let i = 0; i < codes.length; i++) {
    if (codes[i] === UNKNOWN || hidden(i)) continue;
    const code = Math.max(-LARGEST, Math.min(LARGEST, Math.round(codes[i] * zoom)));
    if (Math.abs(code) < threshold * LARGEST) continue;
    const at = 3 * (code + LARGEST);
    pixels.set(table.subarray(at, at + 3), 4 * i);
    pixels[4 * i + 3] = 255 * cover(code / LARGEST);
  }
  return pixels;
}

/** Bytes of a frame as codes. */
function codesOf(Codes, view) {
  return new Codes(view.buffer, view.byteOffset, view.byteLength);
}

/** The value of a map pixel, and its standard error or null, in the frame's unit. */
export function estimate(frame, i) {
  const value = (codesOf(Int8Array, frame.map)[i] / LARGEST) * frame.scale;
  const code = frame.error ? codesOf(Uint8Array, frame.error)[i] : ERROR_UNKNOWN;
  return [value, code === ERROR_UNKNOWN ? null : (code / ERROR_LARGEST) * frame.error_scale];
}

/** Tells of each map pixel whether it cannot be told from zero: it is within 2 standard errors. */
export function uncertain(frame) {
  if (!frame?.error) return () => false;
  const [codes, errors] = [codesOf(Int8Array, frame.map), codesOf(Uint8Array, frame.error)];
  const step = (2 * frame.error_scale * LARGEST) / (ERROR_LARGEST * frame.scale);
  return (i) => errors[i] !== ERROR_UNKNOWN && Math.abs(codes[i]) <= errors[i] * step;
}

/** A signed number to three digits: "+1.25", "−0.031", "0". */
export function signed(value) {
  if (value === 0) return "0";
  const digits = Number(Math.abs(value).toPrecision(3)).toString();
  return (value > 0 ? "+" : "−") + digits;
}

/** RGBA pixels of the legend's ramp: of values that cannot be negative the upper half alone. */
export function rampOf(table, frame) {
  const first = frame?.signed === false ? LARGEST : 0;
  const count = 2 * LARGEST + 1 - first;
  const pixels = new Uint8ClampedArray(4 * count).fill(255);
  for (let i = 0; i < count; i++) pixels.set(table.subarray(3 * (first + i), 3 * (first + i) + 3), 4 * i);
  return pixels;
}

/** What stands below the ramp at its low end, at its middle and at its high end. */
export function scaleTexts(frame, end) {
  const high = signed(end);
  if (frame.signed === false) return ["0", frame.unit, high.replace("+", "")];
  return [signed(-end), `0 ${frame.unit}`, high];
}

/** The ramp in words. */
export function scaleWords(frame, [low, , high]) {
  if (!frame) return "Scale, zero in the middle";
  if (frame.signed === false) return `Scale from zero to ${high} ${frame.unit} ${frame.ends[1]}`;
  return `Scale from ${low} ${frame.ends[0]} over zero to ${high} ${frame.unit} ${frame.ends[1]}`;
}

/** "12 s left", "3 min left", "2 h 10 min left"; "" where it is not known. */
export function timeLeft(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 90) return `${Math.ceil(seconds)} s left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min left`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

/** How far what is shown is: as far as the work, or once that is over, as the shown map itself. */
export function standing(progress, frame) {
  const share = frame?.completed ?? 1;
  return progress.state === "complete" && share < 1 ? { state: "partial", share } : progress;
}

/** One line on how far the computation is; 100 % is never said before the end. */
export function status({ state, share = 0, seconds_left: seconds }) {
  if (state === "complete") return "complete";
  if (state === "failed") return "failed";
  const percent = `${Math.min(99, 100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  if (state === "partial") return `${percent} computed`;
  if (state === "stopped") return `stopped at ${percent}`;
  return [percent, timeLeft(seconds)].filter(Boolean).join(", ");
}

/** The map pixel [row, column] under a point of the canvas's box, or null outside. */
export function pixelAt(x, y, box, [height, width]) {
  const row = Math.floor(((y - box.top) / box.height) * height);
  const column = Math.floor(((x - box.left) / box.width) * width);
  const inside = row >= 0 && row < height && column >= 0 && column < width;
  return inside ? [row, column] : null;
}

/** Where an arrow key, Home or End moves the pixel cursor; null for other keys. */
export function moved([row, column], key, far, [height, width]) {
  const by = far ? 10 : 1;
  const moves = {
    ArrowUp: [row - by, column],
    ArrowDown: [row + by, column],
    ArrowLeft: [row, column - by],
    ArrowRight: [row, column + by],
    Home: [row, 0],
    End: [row, width - 1],
  };
  if (!(key in moves)) return null;
  const [y, x] = moves[key];
  return [Math.max(0, Math.min(height - 1, y)), Math.max(0, Math.min(width - 1, x))];
}

/** What is known about a pixel of a frame, in words. */
export function reading(frame, [row, column], width) {
  const i = row * width + column;
  const place = `row ${row}, column ${column}`;
  if (!frame?.map || codesOf(Int8Array, frame.map)[i] === UNKNOWN) return `${place}: not computed yet`;
  const [value, error] = estimate(frame, i);
  const margin = error === null ? "" : ` ± ${Number(error.toPrecision(2))}`;
  return `${place}: ${signed(value)}${margin} ${frame.unit}`;
}

/** What is worth knowing about a frame, and whether what is uncertain can be hidden, in lines. */
export function remarks(frame, hiding) {
  if (!frame) return "";
  const blind = hiding && frame.error_scale === undefined;
  const lines = [frame.remark, blind && "Nothing is hidden here: its standard errors are not known."];
  return lines.filter(Boolean).join("\n");
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function range(name, onInput) {
  const input = make("input", { type: "range", min: "0", max: "100", step: "1" });
  input.addEventListener("input", () => onInput(Number(input.value)));
  const output = make("output");
  const title = make("span");
  const label = make("label", { className: "xw-control" }, title, input, output);
  const call = (name) => {
    title.textContent = name;
    input.setAttribute("aria-label", name.toLowerCase());
  };
  const set = (value, text) => {
    input.value = value;
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  call(name);
  return { label, input, call, set };
}

function render({ model, el }) {
  let [height, width] = [0, 0];

  const caption = make("figcaption", { className: "xw-heading" });
  const note = make("p", { className: "xw-note" });
  const photo = make("img", { className: "xw-photo", alt: "", draggable: false });
  const canvas = make("canvas", { className: "xw-map", tabIndex: 0 });
  canvas.setAttribute("role", "img");
  const marker = make("div", { className: "xw-marker", hidden: true });
  canvas.setAttribute("aria-roledescription", "map that the arrow keys read");
  const stage = make("div", { className: "xw-stage" }, photo, canvas, marker);
  const alert = make("div", { className: "xw-alert", hidden: true });
  alert.setAttribute("role", "alert");

  const readout = make("div", { className: "xw-readout" });
  const ramp = make("canvas", { className: "xw-ramp", width: 2 * LARGEST + 1, height: 1 });
  ramp.setAttribute("role", "img");
  const ends = ["xw-low", "xw-zero", "xw-high"].map((className) => make("span", { className }));
  const sides = ["xw-against", "xw-for"].map((className) => make("span", { className }));
  const legend = make("div", { className: "xw-legend" },
    make("div", { className: "xw-sides" }, ...sides),
    make("div", { className: "xw-ramp-box" }, ramp, make("i", { className: "xw-tick" })),
    make("div", { className: "xw-ends" }, ...ends));

  const bar = make("progress", { max: 1 });
  bar.setAttribute("aria-label", "share computed");
  const line = make("span", { className: "xw-status" });
  const button = make("button", { type: "button", className: "xw-stop" });
  button.addEventListener("click", () => {
    model.send({ type: model.get("progress").state === "stopped" ? "resume" : "stop" });
  });
  const state = make("span", { className: "xw-spoken" });
  state.setAttribute("role", "status");
  const work = make("div", { className: "xw-work" }, bar, line, button, state);
  const remark = make("p", { className: "xw-remark" });

  const put = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const frames = range("Map", (value) => put("index", value));
  const opacity = range("Opacity", (value) => put("opacity", value / 100));
  const threshold = range("Threshold", (value) => put("threshold", value / 100));
  const choice = make("select", {},
    ...Object.keys(model.get("color_maps")).map((name) => make("option", { value: name, textContent: name })));
  choice.setAttribute("aria-label", "colour map");
  choice.addEventListener("change", () => put("color_map", choice.value));
  const save = make("button", { type: "button", textContent: "Save PNG" });
  const colors = make("div", { className: "xw-control xw-colors" },
    make("span", { textContent: "Colours" }), choice, save);
  const hide = make("input", { type: "checkbox" });
  hide.addEventListener("change", () => put("hide_uncertain", hide.checked));
  const hiding = make("label", { className: "xw-control xw-check" },
    hide, "Hide what is within 2 standard errors of zero");

  const figure = make("figure", { className: "xw-view xw-overlay" },
    caption, make("div", { className: "xw-panel" }, stage, alert, readout, legend, work, remark), note,
    make("div", { className: "xw-settings" },
      frames.label, opacity.label, threshold.label, colors, hiding));
  figure.dataset.controls = model.get("controls");
  for (const element of figure.querySelectorAll("[tabindex], input, select, button")) {
    element.dataset.lmSuppressShortcuts = "true";
  }
  el.append(figure);

  const table = () => palette(model.get("color_maps")[model.get("color_map")]);
  const end = (shown) => model.get("scale") ?? shown.scale;
  const frame = () => model.get("frames")[Math.min(model.get("index"), model.get("frames").length - 1)];

  function showPhoto() {
    [height, width] = model.get("shape");
    Object.assign(canvas, { width, height });
    stage.style.aspectRatio = `${width} / ${height}`;
    stage.classList.toggle("xw-coarse", width < 160);
    URL.revokeObjectURL(photo.src);
    photo.src = URL.createObjectURL(new Blob([model.get("photo")], { type: "image/png" }));
    showMap();
  }

  function showMap() {
    const shown = frame();
    const codes = shown?.map
      ? codesOf(Int8Array, shown.map)
      : new Int8Array(height * width).fill(UNKNOWN);
    const zoom = shown ? shown.scale / end(shown) : 1;
    const hidden = model.get("hide_uncertain") ? uncertain(shown) : undefined;
    const painted = paint(codes, table(), model.get("threshold"), zoom, hidden);
    const pixels = new ImageData(painted, width, height);
    canvas.getContext("2d").putImageData(pixels, 0, 0);
    canvas.setAttribute("aria-label", shown
      ? `${shown.signed === false ? "Relevance" : "Signed relevance"}: ${shown.title}. Arrow keys read pixels.`
      : "Relevance: nothing computed yet.");
    remark.textContent = remarks(shown, model.get("hide_uncertain"));
    hide.checked = model.get("hide_uncertain");
    hiding.hidden = shown?.error_scale === undefined;
    showLegend(shown);
    showFrames();
    showReading();
  }

  function showLegend(shown) {
    const colors = rampOf(table(), shown);
    ramp.width = colors.length / 4;
    ramp.getContext("2d").putImageData(new ImageData(colors, ramp.width, 1), 0, 0);
    choice.value = model.get("color_map");
    const texts = shown ? scaleTexts(shown, end(shown)) : ["", "0", ""];
    legend.classList.toggle("xw-unsigned", shown?.signed === false);
    ends.forEach((end, i) => { end.textContent = texts[i]; });
    sides.forEach((side, i) => { side.textContent = shown?.ends[i] ?? ""; });
    ramp.setAttribute("aria-label", scaleWords(shown, texts));
  }

  function showFrames() {
    const all = model.get("frames");
    frames.label.hidden = all.length < 2;
    frames.input.max = Math.max(0, all.length - 1);
    const shown = frame();
    frames.call(shown?.slider ?? "Map");
    frames.set(model.get("index"), shown?.name ?? "");
  }

  function showReading() {
    const pixel = cursor();
    marker.hidden = pixel === null;
    readout.setAttribute("aria-live", canvas.matches(":focus") ? "polite" : "off");
    if (pixel === null) {
      readout.textContent = "Point at a pixel or use the arrow keys.";
      return;
    }
    const [row, column] = pixel;
    Object.assign(marker.style, {
      top: `${(100 * row) / height}%`, left: `${(100 * column) / width}%`,
      width: `${100 / width}%`, height: `${100 / height}%`,
    });
    readout.textContent = reading(frame(), pixel, width);
  }

  function showWords() {
    caption.hidden = !model.get("caption");
    caption.textContent = caption.title = model.get("caption");
    figure.classList.toggle("xw-noted", Boolean(model.get("note")));
    note.textContent = model.get("note");
  }

  function showOpacity() {
    const value = model.get("opacity");
    canvas.style.opacity = value;
    photo.style.filter = `grayscale(${value})`;
    opacity.set(Math.round(100 * value), `${Math.round(100 * value)} %`);
  }

  function showThreshold() {
    const value = model.get("threshold");
    threshold.set(Math.round(100 * value), value ? `below ${Math.round(100 * value)} % hidden` : "off");
    showMap();
  }

  function showProgress() {
    const progress = standing(model.get("progress"), frame());
    work.dataset.state = progress.state;
    bar.value = progress.share ?? 0;
    line.textContent = status(progress);
    if (state.textContent !== progress.state) state.textContent = progress.state;
    button.hidden = !["computing", "stopped"].includes(progress.state);
    button.textContent = progress.state === "stopped" ? "Continue" : "Stop";
    alert.hidden = progress.state !== "failed";
    alert.textContent = progress.state === "failed" ? `The map could not be computed: ${progress.message}` : "";
    canvas.setAttribute("aria-busy", progress.state === "computing");
  }

  /** The pixel that is read, when there is one in this picture. */
  function cursor() {
    const [row, column] = model.get("pixel");
    return row < height && column < width ? [row, column] : null;
  }

  function read(pixel) {
    model.set("pixel", pixel ?? []); // without telling the kernel, which does not need it
  }

  canvas.addEventListener("pointermove", (event) => {
    read(pixelAt(event.clientX, event.clientY, canvas.getBoundingClientRect(), [height, width]));
  });
  canvas.addEventListener("pointerleave", () => read(null));
  canvas.addEventListener("blur", () => read(null));
  canvas.addEventListener("keydown", (event) => {
    const from = cursor() ?? [Math.floor(height / 2), Math.floor(width / 2)];
    const to = event.key === "Escape" ? null : moved(from, event.key, event.shiftKey, [height, width]);
    if (to === null && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    read(to);
  });
  save.addEventListener("click", async () => {
    const sheet = picture(figure, { photo, canvas, ramp, frame: frame(), scale: model.get("scale"), opacity: model.get("opacity") });
    const link = make("a", { href: sheet.toDataURL("image/png"), download: "relevance.png" });
    link.click();
  });

  const heard = {
    "change:photo change:shape": showPhoto,
    "change:frames change:index change:color_map change:scale change:hide_uncertain": showMap,
    "change:pixel": showReading,
    "change:caption change:note": showWords,
    "change:opacity": showOpacity,
    "change:threshold": showThreshold,
    "change:progress change:frames change:index": showProgress,
  };
  for (const [names, update] of Object.entries(heard)) model.on(names, update);
  showPhoto();
  showOpacity();
  showThreshold();
  showProgress();
  showWords();
  model.send({ type: "shown" });
  const leave = () => model.send({ type: "hidden" });
  window.addEventListener("pagehide", leave);

  return () => {
    window.removeEventListener("pagehide", leave);
    for (const [names, update] of Object.entries(heard)) model.off(names, update);
    URL.revokeObjectURL(photo.src);
    leave();
  };
}

/** The picture, the map and its legend on one canvas, at the device's resolution. */
function picture(figure, { photo, canvas, ramp, frame, scale, opacity }) {
  const ratio = Math.max(2, window.devicePixelRatio);
  const { width, height } = canvas.getBoundingClientRect();
  const foot = 56;
  const sheet = make("canvas", { width: width * ratio, height: (height + foot) * ratio });
  const pen = sheet.getContext("2d");
  pen.scale(ratio, ratio);
  pen.fillStyle = "white";
  pen.fillRect(0, 0, width, height + foot);
  pen.imageSmoothingEnabled = !figure.querySelector(".xw-coarse");
  pen.filter = `grayscale(${opacity})`;
  pen.drawImage(photo, 0, 0, width, height);
  pen.filter = "none";
  pen.globalAlpha = opacity;
  pen.drawImage(canvas, 0, 0, width, height);
  pen.globalAlpha = 1;
  pen.drawImage(ramp, 8, height + 10, width - 16, 10);
  pen.fillStyle = "black";
  if (frame?.signed !== false) pen.fillRect(width / 2 - 0.5, height + 8, 1, 14);
  pen.font = "11px system-ui, sans-serif";
  const texts = frame ? scaleTexts(frame, scale ?? frame.scale) : [];
  const places = [["left", 8, 0], ["center", width / 2, null], ["right", width - 8, 1]];
  for (const [i, text] of texts.entries()) {
    const [align, x, side] = places[i];
    pen.textAlign = align;
    const word = side === null ? "" : frame.ends[side].split(" ")[0];
    pen.fillText(`${text} ${word}`.trim(), x, height + 34);
  }
  pen.textAlign = "left";
  pen.fillText(frame?.title ?? "", 8, height + 50, width - 16);
  return sheet;
}

export default { render };
