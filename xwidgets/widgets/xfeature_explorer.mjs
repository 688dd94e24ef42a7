// Why a class has its score: the few x-features of an explanation module, one card each.
//
// A person names them, votes on them and sees at once what the votes change. Cards stay in place
// while pictures change, so that neither focus nor a name that is being typed is lost.

export const LIMIT = 100; // how many changes can be undone
const LEAST = 0.01; // the smallest share that a sentence mentions

/** What an x-feature is called. */
export function title(index, names) {
  return names[index] || `x-feature ${index}`;
}

/** Three significant digits; "–" for a number that there is not. */
export function digits(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const sign = value < 0 ? "−" : "";
  const size = Math.abs(value);
  if (size === Infinity) return `${sign}∞`;
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e6) return sign + size.toExponential(2).replace("e+", "e").replace("e-", "e−");
  const text = size.toPrecision(3);
  return sign + (text.includes("e") ? Number(text) : text);
}

/** Three significant digits and always a sign, but for zero. */
export function signed(value) {
  return (value > 0 ? "+" : "") + digits(value);
}

/** "42 %" */
export function percent(share) {
  return `${Math.round(100 * share)} %`;
}

/** "an" before a vowel, "a" before other letters. */
export function article(noun) {
  const [letter = ""] = noun.normalize("NFD").match(/\p{L}/u) ?? [];
  return /[aeiou]/i.test(letter) ? "an" : "a";
}

/** "an Alder finch" */
function one(noun) {
  return `${article(noun)} ${noun}`;
}

/** What a contribution does to the score. */
export function role({ activation, contribution }) {
  if (activation === 0) return "silent in this picture";
  if (contribution === 0) return "no effect";
  return contribution > 0 ? "speaks for" : "speaks against";
}

/** By contribution, the largest first and the silent ones last. */
export function sorted(features) {
  return [...features].sort((a, b) => (a.activation === 0) - (b.activation === 0)
    || b.contribution - a.contribution || a.index - b.index);
}

/** What makes up the positive contributions that are not distrusted: names and shares, the largest
 * first; x-features with the same name count as one, those below 1 % are left out. */
export function reasons(features, names, votes) {
  const found = new Map();
  for (const { index, contribution } of sorted(features)) {
    if (!(contribution > 0) || votes[index] === "distrust") continue;
    const name = title(index, names);
    found.set(name, (found.get(name) ?? 0) + contribution);
  }
  const all = [...found.values()].reduce((sum, part) => sum + part, 0);
  return [...found]
    .map(([name, part]) => ({ name, share: part / all }))
    .filter(({ share }) => share >= LEAST)
    .sort((a, b) => b.share - a.share);
}

/** The explanation in words, as texts and { name, share }s; `value` is the score with the votes. */
export function sentence({ label, features, names, votes, score, value, rivals }) {
  const found = reasons(features, names, votes);
  if (!found.length) {
    const distrusted = features.some(({ index, contribution }) => contribution > 0 && votes[index] === "distrust");
    return [distrusted
      ? `No x-feature that is trusted speaks for ${one(label)}.`
      : `No x-feature speaks for ${one(label)} in this picture.`];
  }
  const listed = found.flatMap((reason, at) => {
    if (at === 0) return [reason];
    return [at === found.length - 1 ? " and " : ", ", reason];
  });
  const [rival] = rivals;
  if (rival && Math.min(score, value) < rival.score) {
    const verb = found.length > 1 ? "speak" : "speaks";
    return [...listed, ` ${verb} for ${one(label)}, but more speaks for ${one(rival.label)}.`];
  }
  return [`It is ${one(label)} because of `, ...listed, "."];
}

/** The approximation less what the distrusted x-features contribute. */
export function without(approximation, features, votes) {
  const gone = features.filter(({ index }) => votes[index] === "distrust");
  const left = gone.reduce((rest, { contribution }) => rest - contribution, approximation);
  const size = gone.reduce((sum, { contribution }) => sum + Math.abs(contribution), Math.abs(approximation));
  return Math.abs(left) < 1e-6 * size ? 0 : left; // single precision leaves crumbs
}

/** Whether the class wins with `value` in place of its score, and by how much, in words; null
 * where there is no other class. */
export function verdict({ score, value, rivals, voted }) {
  const [rival] = rivals;
  if (!rival) return null;
  const margin = digits(Math.abs(value - rival.score));
  const still = voted ? "still " : "";
  const wins = value > rival.score;
  if (value === rival.score) return { wins, text: `level with ${rival.label}` };
  if (score > rival.score) {
    const text = wins ? `${still}ahead of ${rival.label} by ${margin}` : `${rival.label} would win by ${margin}`;
    return { wins, text };
  }
  const text = wins ? `would be ahead of ${rival.label} by ${margin}` : `${still}behind ${rival.label} by ${margin}`;
  return { wins, text };
}

/** The ends of a scale that holds these values and zero. */
export function scale(values) {
  return [Math.min(0, ...values), Math.max(0, ...values)];
}

/** Where on a scale a value lies, 0 to 1; 0 on one without length. */
export function place(value, [low, high]) {
  return high > low ? (value - low) / (high - low) : 0;
}

function changed(list, index, value, count) {
  const length = Math.max(list.length, count);
  return Array.from({ length }, (_, at) => (at === index ? value : list[at] ?? ""));
}

/** The names with this one for an x-feature; null when that is what it is called already. */
export function named(names, index, text, count) {
  const name = text.trim().replace(/\s+/g, " ");
  return name === (names[index] ?? "") ? null : changed(names, index, name, count);
}

/** The votes after a press on a vote; a second press withdraws it. */
export function voted(votes, index, vote, count) {
  return changed(votes, index, votes[index] === vote ? "" : vote, count);
}

/** The history with one more state, the oldest forgotten. */
export function pushed(history, { names, votes }) {
  return [...history, { names, votes }].slice(-LIMIT);
}

/** The newest state of the history, and the history before it; null when there is none. */
export function undone(history) {
  if (!history.length) return null;
  const { names, votes } = history.at(-1);
  return { history: history.slice(0, -1), names, votes };
}

/** Names to offer: those in use, then earlier ones, each once. */
export function offered(names, suggestions) {
  return [...new Set([...names, ...suggestions])].filter(Boolean);
}

/** What tells images apart: their source, and its count where it comes again. */
export function keys(images) {
  const seen = new Map();
  return images.map(({ source }) => {
    seen.set(source, (seen.get(source) ?? 0) + 1);
    return `${seen.get(source)} ${source}`;
  });
}

/** Where a key moves the focus from place `at` in a grid; null for other keys. */
export function moved(at, key, count, columns) {
  const moves = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - columns,
    ArrowDown: at + columns,
    Home: 0,
    End: count - 1,
  };
  const to = moves[key];
  return to >= 0 && to < count ? to : null;
}

/** "12 s left", "3 min left", "2 h 10 min left"; "" where it is not known. */
export function timeLeft(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 90) return `${Math.ceil(seconds)} s left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min left`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

/** How far the search for images is; "" when it is over. */
export function searched({ state, share = 0, seconds_left: seconds }) {
  if (state === "computing") return [`searched ${percent(share)}`, timeLeft(seconds)].filter(Boolean).join(", ");
  return state === "stopped" ? `stopped at ${percent(share)}` : "";
}

/** How far the fit of the module is, and how well it does; "" when there is none. */
export function fitted({ state, share = 0, seconds_left: seconds, epoch, error, message }) {
  const known = (value) => value !== null && value !== undefined;
  const epochs = known(epoch) ? [`epoch ${epoch}`] : [];
  const errors = known(error) ? [`held-out error ${digits(error)}`] : [];
  const parts = {
    computing: ["fitting the module", ...epochs, ...errors, percent(share), timeLeft(seconds), message],
    stopped: [["stopped", ...epochs].join(" at "), ...errors, "the best so far is kept", message],
    complete: ["module fitted", ...errors, message],
  }[state] ?? [];
  return parts.filter(Boolean).join(" · ");
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

function press(text, onClick) {
  const button = make("button", { type: "button", textContent: text });
  button.addEventListener("click", onClick);
  return button;
}

function warn(alert, text) {
  if (alert.textContent !== text) alert.textContent = text; // said once
  alert.hidden = !text;
}

function release(element) {
  for (const { src } of element.querySelectorAll("img")) URL.revokeObjectURL(src);
}

function picture(className) {
  const image = make("img", { className, alt: "", draggable: false, hidden: true });
  let bytes = new DataView(new ArrayBuffer(0));
  const show = (png) => {
    if (same(bytes, png)) return;
    URL.revokeObjectURL(image.src);
    image.hidden = png.byteLength === 0;
    if (image.hidden) image.removeAttribute("src");
    else image.src = URL.createObjectURL(new Blob([png], { type: "image/png" }));
    bytes = png;
  };
  return { image, show };
}

/** A picture with heat over it, one image to who hears it. */
function heated() {
  const photo = picture("");
  const heat = picture("xw-heat");
  const frame = make("span", { className: "xw-frame", role: "img" }, photo.image, heat.image);
  const set = (png, map, [height, width]) => {
    frame.style.aspectRatio = `${width} / ${height}`;
    photo.show(png);
    heat.show(map);
  };
  return { frame, set };
}

/** Puts elements in order; the one with the focus is not moved, as that would take the focus away. */
function arrange(parent, elements) {
  const inPlace = elements.length === parent.children.length
    && elements.every((element, at) => element === parent.children[at]);
  if (inPlace) return;
  const focus = parent.getRootNode().activeElement;
  const held = elements.find((element) => element.parentElement === parent && element.contains(focus));
  const lost = !held && focus !== parent && parent.contains(focus);
  const kept = new Set(elements);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  let before = held;
  for (const element of elements) {
    if (element === held) before = null;
    else parent.insertBefore(element, before ?? null);
  }
  if (lost) parent.focus({ preventScroll: true });
}

function makeCard(index, { list, onName, onVote, onMany }) {
  const value = make("b");
  const tag = make("span", { className: "xw-tag" });
  const { frame, set } = heated();
  const length = make("i");
  const name = make("input", { type: "text", maxLength: 60, placeholder: title(index, []), spellcheck: false });
  name.ariaLabel = `name of ${title(index, [])}`;
  name.setAttribute("list", list);
  let known = ""; // the name as the model has it
  const commit = () => {
    onName(name.value);
    name.value = known;
  };
  name.addEventListener("change", commit);
  name.addEventListener("keydown", (event) => {
    if (event.key === "Enter") commit();
    else if (event.key === "Escape") name.value = known;
  });
  const [active, weighted] = [make("span"), make("span")];
  const parts = make("div", { className: "xw-parts" }, active, " ", weighted);
  parts.title = "activation E × weight v: together they are what the x-feature contributes to the score";
  const votes = {
    trust: press("Trust", () => onVote("trust")),
    distrust: press("Don't trust", () => onVote("distrust")),
  };
  const many = press("In many images", onMany);
  const element = make("div", { className: "xw-card", role: "group", tabIndex: -1 },
    make("div", { className: "xw-top" }, value, tag),
    frame,
    make("span", { className: "xw-bar" }, length),
    name, parts,
    make("div", { className: "xw-votes" }, ...Object.values(votes), many));
  for (const control of [element, name, ...Object.values(votes), many]) control.dataset.lmSuppressShortcuts = "true";

  const show = (feature, { photo, shape, largest }) => {
    const { activation, weight, contribution, map } = feature;
    element.dataset.role = role(feature);
    value.textContent = activation === 0 ? "0" : signed(contribution);
    tag.textContent = role(feature);
    length.style.width = `${100 * place(Math.abs(contribution), [0, largest])}%`;
    active.textContent = `activation ${digits(activation)}`;
    weighted.textContent = `× weight ${digits(weight)}`;
    set(photo, map, shape);
  };
  const mark = (called, vote, { shown, offersMany }) => {
    element.ariaLabel = called || title(index, []);
    frame.ariaLabel = `where ${element.ariaLabel} is in the picture`;
    if (name.value === known || name.getRootNode().activeElement !== name) name.value = called;
    known = called;
    name.title = called;
    element.dataset.vote = vote;
    for (const [which, button] of Object.entries(votes)) button.ariaPressed = String(vote === which);
    many.ariaPressed = String(shown);
    many.hidden = !offersMany;
  };
  return { element, show, mark };
}

/** What a sentence says of an x-feature. */
function reason({ name, share }) {
  const className = /^x-feature \d+$/.test(name) ? "xw-unnamed" : ""; // stays on one line
  return [make("em", { className, textContent: name }), " ",
    make("span", { className: "xw-share", textContent: `(${percent(share)})` })];
}

/** A row of the scores: what it is of, a bar, a number. */
function makeScore(of) {
  const name = make("span", { className: "xw-name", textContent: of });
  const bar = make("i");
  const number = make("span", { className: "xw-number" });
  const track = make("span", { className: "xw-track", ariaHidden: "true" }, bar);
  return { element: make("div", {}, name, track, number), name, bar, number };
}

/** One of many images; a button where there is a kernel to look at it. */
function makeTile(onLook) {
  const { frame, set } = heated();
  const value = make("b");
  const label = make("span", { className: "xw-of" });
  const element = make(onLook ? "button" : "div", { className: "xw-tile" }, frame, value, label);
  if (onLook) {
    element.type = "button";
    element.dataset.lmSuppressShortcuts = "true";
    element.addEventListener("click", () => onLook());
  } else {
    element.role = "group";
  }
  const show = ({ picture: png, map, activation, contribution, source, label: seen }) => {
    const silent = activation === 0;
    frame.ariaLabel = source;
    set(png, map, sizeOf(png));
    value.textContent = silent ? "silent" : digits(activation);
    label.textContent = seen;
    element.classList.toggle("xw-silent", silent);
    const told = silent ? "silent" : `activation ${digits(activation)}, contribution ${signed(contribution)}`;
    element.title = [source, seen, told].filter(Boolean).join("\n");
    element.ariaLabel = [onLook ? `Look at ${source}` : source, seen, told].filter(Boolean).join(", ");
  };
  return { element, show };
}

function render({ model, el }) {
  const unique = Math.random().toString(36).slice(2);
  const cards = new Map(); // by x-feature
  const tiles = new Map(); // by image
  let owner = model.get("shown"); // the x-feature that the images are of
  const exported = owner; // without a kernel, there are images of no other

  const put = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };
  const alter = (changes) => {
    const opinion = model.get("opinion"); // with its class, so that it is never taken for another's
    put({ opinion: { ...opinion, history: pushed(opinion.history, opinion), ...changes } });
  };
  const worker = (of) => {
    const bar = make("progress", { max: 1 });
    const line = make("span");
    const stop = press("Stop", () => {
      model.send({ type: model.get(of).state === "stopped" ? "resume" : "stop", of });
    });
    const element = make("div", { className: "xw-work" }, bar, line, stop);
    const show = (text) => {
      const { state, share } = model.get(of);
      const alive = model.get("alive");
      element.hidden = !text || (state === "computing" && !alive);
      element.dataset.state = state ?? "";
      bar.hidden = state !== "computing";
      bar.value = share ?? 0;
      line.textContent = text;
      stop.hidden = !alive || !["computing", "stopped"].includes(state);
      stop.textContent = state === "stopped" ? "Continue" : "Stop";
    };
    return { element, bar, show };
  };

  const subject = make("em");
  const source = make("span", { className: "xw-quiet" });
  const heading = make("div", { className: "xw-heading" }, make("span", {}, "Why ", subject, "?"), source);
  const alert = make("div", { className: "xw-alert", role: "alert" });
  const fit = worker("training");
  fit.bar.ariaLabel = "share of the fit";
  fit.element.title = "held-out error: mean |approximation − score| over images that the module was not fitted to";
  const empty = make("div", { className: "xw-quiet xw-empty" });
  const whole = heated();
  whole.frame.ariaLabel = "the picture";
  const words = make("p", { className: "xw-sentence" });
  words.title = "shares of what the x-features that speak for the class, and are not distrusted, add to the score";
  const rows = ["network", "approximation", "without distrusted", ""].map(makeScore);
  const scores = make("div", { className: "xw-scores" }, ...rows.map(({ element }) => element));
  const outcome = make("div", { className: "xw-verdict" });
  const intercept = make("div", { className: "xw-quiet" });
  const summary = make("div", { className: "xw-summary" }, whole.frame,
    make("div", { className: "xw-story" }, words, scores, outcome, intercept));
  const undo = press("Undo", takeBack);
  undo.title = "Ctrl+Z";
  const heat = make("input", { type: "checkbox", checked: true });
  heat.addEventListener("change", () => view.classList.toggle("xw-bare", !heat.checked));
  const spoken = make("span", { className: "xw-spoken", role: "status", ariaLive: "polite" });
  const tools = make("div", { className: "xw-tools" }, make("label", {}, heat, "heat maps"), undo, spoken);
  const grid = make("div", { className: "xw-cards", tabIndex: -1, role: "group", ariaLabel: "x-features" });
  const manyOf = make("span");
  const order = make("span", { className: "xw-quiet" });
  const search = worker("work");
  search.bar.ariaLabel = "share searched";
  const missing = make("div", { className: "xw-alert", role: "alert" });
  const none = make("div", { className: "xw-quiet" });
  const strip = make("div", { className: "xw-strip", tabIndex: -1, role: "group" });
  const many = make("div", { className: "xw-many" },
    make("div", { className: "xw-heading" }, manyOf, order), missing, search.element, none, strip);
  const choices = make("datalist", { id: `${unique}-names` });
  const view = make("div", { className: "xw-view xw-xfeatures" },
    heading, alert, fit.element, empty, summary, tools, grid, many, choices);
  for (const control of [...view.querySelectorAll("button, input, [tabindex]")]) {
    control.dataset.lmSuppressShortcuts = "true";
  }
  el.append(view);

  function newCard(index) {
    return makeCard(index, {
      list: choices.id,
      onName: (text) => {
        const names = named(model.get("opinion").names, index, text, model.get("features").length);
        if (names) alter({ names });
      },
      onVote: (vote) => {
        const votes = voted(model.get("opinion").votes, index, vote, model.get("features").length);
        alter({ votes });
        const told = { trust: "trusted", distrust: "not trusted", "": "no vote" }[votes[index]];
        speak(`${title(index, model.get("opinion").names)}: ${told}.`);
      },
      onMany: () => {
        put({ shown: model.get("shown") === index ? -1 : index });
        if (!many.hidden) many.scrollIntoView({ block: "nearest" });
      },
    });
  }

  /** The score with the votes, and what it leads to. */
  function judged() {
    const [score, features, rivals] = ["score", "features", "rivals"].map((name) => model.get(name));
    const { votes } = model.get("opinion");
    const value = without(model.get("approximation"), features, votes);
    const any = features.some(({ index }) => votes[index] === "distrust");
    return { score, features, rivals, votes, value, any, verdict: verdict({ score, value, rivals, voted: any }) };
  }

  function speak(before) {
    const { value, verdict: found } = judged();
    const score = `Score without the distrusted x-features ${digits(value)}`;
    spoken.textContent = `${before} ${[score, found?.text].filter(Boolean).join(", ")}.`;
  }

  function takeBack() {
    const opinion = model.get("opinion");
    const before = undone(opinion.history);
    if (!before) return;
    put({ opinion: { ...opinion, ...before } });
    speak("Undone.");
  }

  function showHistory() {
    undo.ariaDisabled = String(!model.get("opinion").history.length); // keeps the focus, unlike disabled
  }

  function showHeading() {
    subject.textContent = model.get("label");
    const layer = model.get("layer");
    const parts = [model.get("method"), layer && `layer ${layer}`, model.get("network")];
    source.textContent = parts.filter(Boolean).join(" · ");
  }

  function showFeatures() {
    const features = sorted(model.get("features"));
    const any = features.length > 0;
    empty.hidden = any;
    for (const part of [summary, tools, grid]) part.hidden = !any;
    if (any) {
      const [photo, shape] = [model.get("photo"), model.get("shape")];
      const largest = Math.max(...features.map(({ contribution }) => Math.abs(contribution)));
      view.classList.toggle("xw-coarse", shape[1] < 160);
      whole.set(photo, new DataView(new ArrayBuffer(0)), shape);
      const kept = new Set(features.map(({ index }) => index));
      for (const [index, { element }] of cards) {
        if (kept.has(index)) continue;
        release(element);
        cards.delete(index);
      }
      for (const feature of features) {
        if (!cards.has(feature.index)) cards.set(feature.index, newCard(feature.index));
        cards.get(feature.index).show(feature, { photo, shape, largest });
      }
      arrange(grid, features.map(({ index }) => cards.get(index).element));
      grid.style.setProperty("--xw-count", features.length);
    }
    showVotes();
    showImages();
  }

  /** All that names and votes change. */
  function showVotes() {
    const [{ names }, shown, label] = ["opinion", "shown", "label"].map((name) => model.get(name));
    const { features, votes, value, score, rivals, any, verdict: found } = judged();
    for (const [index, card] of cards) {
      const offersMany = model.get("alive") || (index === exported && model.get("images").length > 0);
      card.mark(names[index] ?? "", votes[index] ?? "", { shown: shown === index, offersMany });
    }
    const offers = offered(names, model.get("suggestions"));
    if (offers.join("\n") !== [...choices.children].map(({ value: name }) => name).join("\n")) {
      choices.replaceChildren(...offers.map((name) => make("option", { value: name })));
    }
    strip.ariaLabel = manyOf.textContent = `${title(shown, names)} in many images`;
    if (!features.length) return;
    words.replaceChildren(...sentence({ label, features, names, votes, score, value, rivals })
      .flatMap((part) => (typeof part === "string" ? [part] : reason(part))));
    showScores([score, model.get("approximation"), value], rivals[0]);
    outcome.hidden = !found;
    outcome.classList.toggle("xw-lost", found?.wins === false);
    outcome.textContent = `${any ? "Without the distrusted" : "By the approximation"}: ${found?.text}`;
    const rest = model.get("intercept");
    intercept.hidden = !rest;
    intercept.textContent = `The approximation includes ${signed(rest)} that belongs to no x-feature.`;
  }

  function showScores(numbers, rival) {
    const all = [...numbers, ...(rival ? [rival.score] : [])];
    const ends = scale(all);
    const share = (number) => `${100 * place(number, ends)}%`;
    scores.style.setProperty("--xw-zero", share(0));
    scores.style.setProperty("--xw-best", share(rival?.score ?? 0));
    scores.classList.toggle("xw-alone", !rival);
    rows.forEach(({ element, name, bar, number }, at) => {
      element.hidden = at >= all.length;
      if (element.hidden) return;
      const [low, high] = scale([all[at]]);
      bar.style.left = share(low);
      bar.style.right = `${100 - 100 * place(high, ends)}%`;
      number.textContent = digits(all[at]);
      if (at === numbers.length) name.textContent = name.title = rival.label;
    });
  }

  function showImages() {
    const shown = model.get("shown");
    const [alive, work] = [model.get("alive"), model.get("work")];
    const images = owner === shown ? model.get("images") : [];
    many.hidden = shown < 0 || !model.get("features").length;
    const far = searched(work);
    search.show(far);
    order.hidden = !images.length;
    order.textContent = `the most active first${alive ? "; choose one to look at it" : ""}`;
    none.hidden = images.length > 0 || far !== "" || work.state === "failed";
    const waiting = alive && !(work.state === "complete" && owner === shown);
    none.textContent = waiting ? "computing …" : "There is no image.";
    const names = keys(images);
    const kept = new Set(names);
    for (const [name, { element }] of tiles) {
      if (kept.has(name)) continue;
      release(element);
      tiles.delete(name);
    }
    images.forEach((image, at) => {
      const name = names[at];
      const look = alive && (() => model.send({ type: "look", source: image.source }));
      if (!tiles.has(name)) tiles.set(name, makeTile(look));
      tiles.get(name).show(image);
    });
    arrange(strip, names.map((name) => tiles.get(name).element));
    showAlert();
  }

  function showTraining() {
    const training = model.get("training");
    fit.show(fitted(training));
    empty.textContent = training.state === "computing"
      ? "Its x-features are shown here as soon as they are known."
      : "Nothing is explained yet.";
    showAlert();
  }

  function showAlert() {
    const [training, work] = [model.get("training"), model.get("work")];
    const texts = [
      model.get("message"),
      training.state === "failed" && `The explanation module could not be fitted: ${training.message}`,
    ];
    warn(alert, texts.filter(Boolean).join("\n"));
    warn(missing, work.state === "failed" ? `The images could not be searched: ${work.message}` : "");
  }

  view.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const control = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (!control || key.toLowerCase() !== "z" || target.matches("input[type='text']")) return;
    event.preventDefault();
    event.stopPropagation();
    takeBack();
  });
  strip.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const all = [...strip.querySelectorAll("button")];
    const at = all.indexOf(event.target);
    const columns = all.filter(({ offsetTop }) => offsetTop === all[0].offsetTop).length;
    const to = at < 0 ? null : moved(at, event.key, all.length, columns);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    all[to].focus();
  });

  const heard = {
    "change:label change:method change:layer change:network": () => {
      showHeading();
      showVotes();
    },
    "change:photo change:shape change:features": showFeatures,
    "change:opinion change:suggestions": () => {
      showVotes();
      showHistory();
    },
    "change:score change:approximation change:intercept change:rivals": () => showVotes(),
    "change:shown": () => {
      showVotes();
      showImages();
    },
    "change:images": () => {
      owner = model.get("shown");
      showImages();
    },
    "change:work": () => showImages(),
    "change:training": showTraining,
    "change:message": showAlert,
  };
  for (const [names, update] of Object.entries(heard)) model.on(names, update);
  showHeading();
  showHistory();
  showTraining();
  showFeatures();
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
