// What the selected neurons look at: in the study's picture and in a data set.
//
// Cards stay in place while pictures arrive, so that neither focus nor what is read is lost.

/** How deep a layer lies, by the colour of its box; the dashes tell it without colours. */
export const DEPTHS = { red: "shallow", green: "middle", blue: "deep" };

/** What tells neurons apart. */
export function id({ layer, channel }) {
  return `${layer} ${channel}`;
}

/** "conv 5 · channel 12 (features.10)" */
export function title({ layer, channel, convolution }) {
  const known = convolution !== null && convolution !== undefined;
  return `${known ? `conv ${convolution} · ` : ""}channel ${channel} (${layer})`;
}

/** The cards of the selected neurons, in their order; without pictures where they are not computed. */
export function shown(selected, cards) {
  const known = new Map(cards.map((card) => [id(card), card]));
  return selected.map(([layer, channel]) => known.get(id({ layer, channel })) ?? { layer, channel });
}

/** Cards with a box, the largest first, so that the others can be pointed at. */
export function stacked(cards) {
  const area = ({ box: [top, left, bottom, right] }) => (bottom - top) * (right - left);
  return cards.filter(({ box }) => box).sort((a, b) => area(b) - area(a));
}

/** How many of the computed cards are ticked: "5 of 7 ticked = 0.71"; "" without any. */
export function localisation(cards, ticks) {
  const computed = cards.filter(({ reconstruction }) => reconstruction !== undefined);
  const count = computed.filter((card) => ticks[id(card)]).length;
  const all = computed.length;
  return all ? `${count} of ${all} ticked = ${(count / all).toFixed(2)}` : "";
}

/** The ticks when all cards with a box are ticked, or none; those of other neurons stay. */
export function ticked(cards, ticks, on) {
  const changed = { ...ticks };
  for (const { layer, channel } of cards.filter(({ box }) => box)) {
    if (on) changed[id({ layer, channel })] = true;
    else delete changed[id({ layer, channel })];
  }
  return changed;
}

/** Three significant digits. */
export function digits(value) {
  const text = Math.abs(value).toPrecision(3);
  return (value < 0 ? "−" : "") + (text.includes("e") ? Number(text) : text);
}

/** What a card says of its neuron; without a kernel, nothing more will be computed. */
export function state({ reconstruction, box, activation }, alive) {
  if (!reconstruction) return alive ? "computing …" : "not on this page";
  return box ? `activation ${digits(activation)}` : "silent in this picture";
}

/** How far the search is: "searched 40 of 150 images", or a share before anything was found. */
export function status({ state, share = 0 }, matches) {
  const least = matches.reduce((one, other) => (one && one.searched <= other.searched ? one : other), null);
  const far = least
    ? `searched ${least.searched} of ${least.total} images`
    : `searched ${Math.round(100 * share)} % of the images`;
  return state === "stopped" ? `${far}, stopped` : far;
}

/** [height, width] as a PNG's header tells them. */
export function sizeOf(png) {
  return [png.getUint32(20), png.getUint32(16)];
}

/** Whether two views hold the same bytes. */
export function same(one, other) {
  if (one.byteLength !== other.byteLength) return false;
  for (let at = 0; at < one.byteLength; at++) {
    if (one.getUint8(at) !== other.getUint8(at)) return false;
  }
  return true;
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function drawing(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A dashed line over white over black, to be seen on any picture. */
function dashed(color, shape, place) {
  return drawing("g", { class: "xw-box", "data-color": color },
    ...["xw-case", "xw-gap", "xw-ink"].map((layer) => drawing(shape, { class: layer, ...place })));
}

function boxed({ color, box: [top, left, bottom, right] }) {
  return dashed(color, "rect", { x: left, y: top, width: right - left, height: bottom - top });
}

function sample(color) {
  return drawing("svg", { class: "xw-sample", "aria-hidden": "true" },
    dashed(color, "line", { x1: 2, x2: 32, y1: 6, y2: 6 }));
}

function picture(alt) {
  const image = make("img", { alt, draggable: false });
  let bytes = new DataView(new ArrayBuffer(0));
  const show = (png) => {
    if (same(bytes, png)) return;
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(new Blob([png], { type: "image/png" }));
    bytes = png;
  };
  return { image, show };
}

function release(element) {
  for (const { src } of element.querySelectorAll("img")) URL.revokeObjectURL(src);
}

function press(parts, onClick) {
  const button = make("button", { type: "button" }, ...parts);
  button.dataset.lmSuppressShortcuts = "true";
  button.addEventListener("click", onClick);
  return button;
}

/** A picture with boxes over it. */
function framed(alt) {
  const { image, show } = picture(alt);
  const boxes = drawing("svg", { preserveAspectRatio: "none" });
  const frame = make("div", { className: "xw-frame" }, image, boxes);
  const set = (png, [height, width], drawn) => {
    show(png);
    frame.style.aspectRatio = `${width} / ${height}`;
    boxes.setAttribute("viewBox", `0 0 ${width} ${height}`);
    boxes.replaceChildren(...drawn);
  };
  return { frame, boxes, set };
}

/** One of a neuron's top images; a button where there is a kernel to look at it. */
function makeMatch(onLook) {
  const patch = picture("");
  const whole = framed("");
  const value = make("span");
  const parts = [make("span", { className: "xw-patch" }, patch.image), whole.frame, value];
  let shown;
  const element = onLook ? press(parts, () => onLook(shown)) : make("span", { role: "img" }, ...parts);
  const update = (color, { picture: png, crop, box, activation, source }) => {
    shown = source;
    patch.show(crop);
    whole.set(png, sizeOf(png), [boxed({ color, box })]);
    value.textContent = digits(activation);
    element.title = `${source}, activation ${digits(activation)}`;
    element.ariaLabel = onLook ? `Look at ${element.title}` : element.title;
  };
  return { element, update };
}

function makeCard({ onTick, onLook }) {
  const color = make("span", { className: "xw-color" });
  const name = make("b");
  const reconstruction = picture("reconstruction");
  const patch = picture("patch");
  const pair = make("div", { className: "xw-pair" },
    make("figure", {}, reconstruction.image, make("figcaption", { textContent: "reconstruction" })),
    make("figure", {}, patch.image, make("figcaption", { textContent: "patch" })));
  const activation = make("span");
  const box = make("input", { type: "checkbox" });
  box.dataset.lmSuppressShortcuts = "true";
  box.addEventListener("change", () => onTick(box.checked));
  const tick = make("label", {}, box, "contains the object");
  const caption = make("div", { className: "xw-quiet" });
  const strip = make("div", { className: "xw-strip" });
  const element = make("div", { className: "xw-card", role: "group", tabIndex: -1 },
    make("div", { className: "xw-title" }, color, name),
    pair, make("div", { className: "xw-line" }, activation, tick), caption, strip);
  element.dataset.lmSuppressShortcuts = "true";
  const matches = [];

  const update = (card, match, isTicked) => {
    const computed = card.reconstruction !== undefined;
    name.textContent = element.ariaLabel = title(card);
    element.ariaBusy = String(!computed && Boolean(onLook));
    color.replaceChildren(...(computed ? [sample(card.color)] : []));
    pair.hidden = !computed;
    tick.hidden = !card.box;
    box.checked = isTicked;
    activation.textContent = state(card, onLook);
    if (computed) {
      reconstruction.show(card.reconstruction);
      patch.show(card.crop);
      patch.image.parentElement.hidden = !card.box;
    }
    const images = (computed && match?.images) || [];
    caption.hidden = strip.hidden = !images.length;
    caption.textContent = `top images among ${match?.searched} searched`;
    for (const { element: extra } of matches.splice(images.length)) {
      release(extra);
      extra.remove();
    }
    images.forEach((image, place) => {
      matches[place] ??= makeMatch(onLook);
      matches[place].update(card.color, image);
      if (!matches[place].element.parentElement) strip.append(matches[place].element);
    });
  };
  return { element, update };
}

function render({ model, el }) {
  const cards = new Map(); // by id, those on the page
  let list; // what they show
  let lit = null; // the id of the one that is brought out

  const put = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };

  const heading = make("div", { className: "xw-heading" });
  const alert = make("div", { className: "xw-alert", role: "alert" });
  const photo = framed("the picture");
  photo.boxes.setAttribute("aria-hidden", "true"); // the cards say the same
  const legend = make("div", { className: "xw-legend" }, ...Object.entries(DEPTHS).map(([color, depth]) =>
    make("span", {}, sample(color), depth)));
  const ratio = make("output");
  const tickAll = (on) => put("ticks", ticked(list, model.get("ticks"), on));
  const localised = make("div", { className: "xw-line" },
    make("span", {}, "Localisation ratio: ", ratio),
    press(["Tick all"], () => tickAll(true)), press(["Tick none"], () => tickAll(false)));
  const start = make("select", { ariaLabel: "reconstruct from" },
    make("option", { value: "map", textContent: "the whole map" }),
    make("option", { value: "maximum", textContent: "its maximum" }));
  start.addEventListener("change", () => put("start", start.value));
  const least = make("input", { type: "number", min: 0, max: 99, step: 1 });
  least.ariaLabel = "smallest share of the strongest pixel in a box, in percent";
  least.addEventListener("change", () => {
    if (least.value !== "" && least.checkValidity()) put("threshold", least.valueAsNumber / 100);
    showLook();
  });
  const look = make("div", { className: "xw-look" },
    make("label", {}, "Reconstructed from", start),
    make("label", {}, "Box around pixels above", least, "%"));
  for (const control of [start, least]) control.dataset.lmSuppressShortcuts = "true";
  const line = make("span");
  const bar = make("progress", { max: 1, ariaLabel: "share searched" });
  const stop = press(["Stop"], () => {
    model.send({ type: model.get("search").state === "stopped" ? "resume" : "stop" });
  });
  const work = make("div", { className: "xw-work" }, bar, line, stop);
  const empty = make("div", { className: "xw-quiet", textContent: "Select neurons in the ranking table." });
  const grid = make("div", { className: "xw-cards" });
  const view = make("div", { className: "xw-view xw-gallery" },
    heading, alert,
    make("div", { className: "xw-columns" },
      make("div", { className: "xw-side" }, photo.frame, legend, look, localised, work),
      make("div", { className: "xw-main" }, empty, grid)));
  el.append(view);

  function showCards() {
    list = shown(model.get("selected"), model.get("cards"));
    const matches = new Map(model.get("matches").map((match) => [id(match), match]));
    const ticks = model.get("ticks");
    const names = list.map(id);
    const kept = new Set(names);
    for (const [name, { element }] of cards) {
      if (kept.has(name)) continue;
      release(element);
      cards.delete(name);
    }
    for (const card of list) {
      const name = id(card);
      if (!cards.has(name)) cards.set(name, newCard(card));
      cards.get(name).update(card, matches.get(name), Boolean(ticks[name]));
    }
    const elements = names.map((name) => cards.get(name).element);
    const inPlace = elements.length === grid.children.length
      && elements.every((element, at) => element === grid.children[at]);
    if (!inPlace) grid.replaceChildren(...elements);
    empty.hidden = list.length > 0;
    showPhoto();
    showTicks();
    showSearch();
  }

  function newCard({ layer, channel }) {
    const name = id({ layer, channel });
    const card = makeCard({
      onTick: (on) => put("ticks", ticked([{ layer, channel, box: [] }], model.get("ticks"), on)),
      onLook: model.get("alive") && ((source) => model.send({ type: "look", layer, channel, source })),
    });
    for (const event of ["pointerenter", "focusin"]) card.element.addEventListener(event, () => light(name));
    for (const event of ["pointerleave", "focusout"]) card.element.addEventListener(event, () => light(null));
    return card;
  }

  /** Brings out the card and the box of one neuron. */
  function light(name) {
    lit = name;
    for (const box of photo.boxes.children) box.classList.toggle("xw-lit", box.dataset.of === name);
    for (const [of, { element }] of cards) element.classList.toggle("xw-lit", of === name);
  }

  function showPhoto() {
    const boxes = stacked(list).map((card) => {
      const box = boxed(card);
      box.dataset.of = id(card);
      box.addEventListener("pointerenter", () => light(id(card)));
      box.addEventListener("pointerleave", () => light(null));
      box.addEventListener("click", () => cards.get(id(card)).element.focus());
      return box;
    });
    photo.set(model.get("photo"), model.get("shape"), boxes);
    light(lit);
    legend.hidden = localised.hidden = !boxes.length;
    view.classList.toggle("xw-coarse", model.get("shape")[1] < 160);
  }

  function showTicks() {
    ratio.textContent = localisation(list, model.get("ticks"));
  }

  function showLook() {
    look.hidden = !model.get("alive");
    start.value = model.get("start");
    least.value = Math.round(100 * model.get("threshold"));
  }

  function showSearch() {
    const search = model.get("search");
    const names = new Set(list.map(id));
    work.hidden = search.state === undefined || search.state === "failed";
    bar.hidden = search.state !== "computing";
    bar.value = search.share ?? 0;
    line.textContent = status(search, model.get("matches").filter((match) => names.has(id(match))));
    stop.hidden = !["computing", "stopped"].includes(search.state);
    stop.textContent = search.state === "stopped" ? "Continue" : "Stop";
    showAlert();
  }

  function showAlert() {
    const { state: stage, message } = model.get("search");
    const failed = stage === "failed" ? [`The data set could not be searched: ${message}`] : [];
    alert.textContent = [model.get("message"), ...failed].filter(Boolean).join(" ");
    alert.hidden = !alert.textContent;
  }

  function showTarget() {
    heading.textContent = ["What neurons look at", model.get("target")].filter(Boolean).join(", for ");
  }

  const heard = {
    "change:selected change:cards change:matches change:ticks": showCards,
    "change:photo change:shape": showPhoto,
    "change:start change:threshold": showLook,
    "change:search": showSearch,
    "change:message": showAlert,
    "change:target": showTarget,
  };
  for (const [names, update] of Object.entries(heard)) model.on(names, update);
  showTarget();
  showLook();
  showCards();
  model.send({ type: "shown" });
  const leave = () => model.send({ type: "hidden" });
  window.addEventListener("pagehide", leave);

  return () => {
    window.removeEventListener("pagehide", leave);
    for (const [names, update] of Object.entries(heard)) model.off(names, update);
    release(view);
    leave();
  };
}

export default { render };
