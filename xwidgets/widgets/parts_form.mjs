// Which parts does a heat map show? One question after another, for a study with people.
//
// What is ticked becomes an answer when the person goes on or back: until then it is a choice, the
// names of parts, [] for "cannot tell", null for nothing yet.

export const CONTEXT = "context";
const KEYS = "123456789abcdefgijklmnopqrstuvwxyz"; // without 0, cannot tell, and h, the heat map

/** The key that ticks the option at this place; "" for none. */
export function keyOf(place) {
  return KEYS[place] ?? "";
}

/** The option that a key ticks; undefined for none. */
export function optionOf(key, options) {
  return key.length === 1 ? options[KEYS.indexOf(key.toLowerCase())] : undefined;
}

/** The choice with one part more, or less, in the order of the options. */
export function toggled(choice, part, options) {
  const ticked = new Set(choice);
  if (!ticked.delete(part)) ticked.add(part);
  return ticked.size ? options.filter((option) => ticked.has(option)) : null;
}

/** The choice after a press on "cannot tell", which goes with no part. */
export function withheld(choice) {
  return choice?.length === 0 ? null : [];
}

function place(answers, question) {
  return answers.findIndex((answer) => answer.picture === question.picture
    && answer["x-feature"] === question["x-feature"]);
}

/** What was answered to a question; null when nothing was. */
export function answerTo(answers, question) {
  return answers[place(answers, question)]?.parts ?? null;
}

/** The answers with this one, in place of an earlier one to the same question. */
export function answered(answers, question, parts) {
  const { picture, "x-feature": feature } = question;
  const answer = { picture, "x-feature": feature, parts };
  const at = place(answers, question);
  return at < 0 ? [...answers, answer] : answers.with(at, answer);
}

/** Whether a choice is one, and not what was answered already. */
export function revised(choice, answer) {
  return choice !== null && JSON.stringify(choice) !== JSON.stringify(answer);
}

/** The question after one: the next, and after the last the first without an answer; the number of
 * questions when there is none. */
export function following(position, questions, answers) {
  if (position + 1 < questions.length) return position + 1;
  const open = questions.findIndex((question) => answerTo(answers, question) === null);
  return open < 0 ? questions.length : open;
}

/** "3 of 40", and at the end how many were answered. */
export function progress(position, count) {
  return position < count ? `${position + 1} of ${count}` : `${count} of ${count} answered`;
}

/** The text of the file, as the kernel writes it. */
export function file(facts, answers) {
  return JSON.stringify({ ...facts, answers }, null, 2);
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

function picture(className) {
  const image = make("img", { className, alt: "", draggable: false });
  const release = () => URL.revokeObjectURL(image.src);
  const show = (png) => {
    release();
    image.src = URL.createObjectURL(new Blob([png], { type: "image/png" }));
  };
  return { image, show, release };
}

/** A box to tick, with the key that does the same. */
function option(name, key, onTick) {
  const input = make("input", { type: "checkbox" });
  input.addEventListener("change", onTick);
  if (key) input.setAttribute("aria-keyshortcuts", key);
  const badge = make("kbd", { textContent: key, ariaHidden: "true", hidden: !key });
  const element = make("label", { className: "xw-option" }, input, make("span", {}, name), badge);
  return { element, input };
}

function download(name, text) {
  const link = make("a", { download: name });
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser reads it meanwhile
}

function render({ model, el }) {
  const [facts, questions, pictures] = ["facts", "questions", "pictures"].map((name) => model.get(name));
  const alive = model.get("alive");
  const options = [...facts.parts, CONTEXT];
  let choice = null;
  let kept = model.get("answers"); // those that closing the page does not lose

  const put = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };
  const choose = (changed) => {
    choice = changed;
    showChoice();
  };

  const far = make("span", { role: "status" });
  const bar = make("progress", { max: questions.length, ariaLabel: "questions answered" });
  const alert = make("div", { className: "xw-alert", role: "alert" });
  const photo = picture("");
  const heat = picture("xw-heat");
  const frame = make("span", { className: "xw-frame", role: "img", ariaLabel: "a heat map over its picture" },
    photo.image, heat.image);
  const bare = option("heat map", "h", () => view.classList.toggle("xw-bare", !bare.input.checked));
  bare.input.checked = true;
  const boxes = options.map((name, at) => option(name, keyOf(at), () => choose(toggled(choice, name, options))));
  const cannot = option("cannot tell", "0", () => choose(withheld(choice)));
  const look = make("div", {}, frame, bare.element);
  const question = make("fieldset", {},
    make("legend", { textContent: "Which parts does the heat map show? Tick all of them." }),
    make("div", { className: "xw-options" }, ...boxes.map(({ element }) => element)),
    make("div", { className: "xw-options" }, cannot.element));
  const end = make("div", { className: "xw-end" },
    make("b", { textContent: "All questions are answered. Thank you." }),
    make("div", { textContent: "Please download the answers, and send the file back.", hidden: alive }));
  const hint = make("div", { className: "xw-hint", role: "status" });
  const back = press("Back", goBack);
  const next = press("Next", goOn);
  const save = press("Download answers", () => {
    keep();
    kept = model.get("answers");
    download("answers.json", file(facts, kept));
  });
  save.hidden = alive;
  back.setAttribute("aria-keyshortcuts", "Backspace");
  next.setAttribute("aria-keyshortcuts", "Enter");
  const keys = make("div", { className: "xw-quiet xw-keys" },
    make("kbd", { textContent: "Enter" }), " next ", make("kbd", { textContent: "Backspace" }), " back");
  const view = make("div", { className: "xw-view xw-parts-form", tabIndex: -1, role: "group" },
    make("div", { className: "xw-far" }, far, bar), alert,
    make("div", { className: "xw-columns" }, look,
      make("div", {}, question, end, hint, make("div", { className: "xw-buttons" }, back, next, keys, save))));
  view.ariaLabel = "Which parts do the heat maps show?";
  for (const control of [view, ...view.querySelectorAll("button, input")]) {
    control.dataset.lmSuppressShortcuts = "true";
  }
  el.append(view);

  const asked = () => questions[model.get("position")];

  const pending = () => Boolean(asked()) && revised(choice, answerTo(model.get("answers"), asked()));

  /** Makes the choice, if there is one, the answer. */
  function keep() {
    if (pending()) put({ answers: answered(model.get("answers"), asked(), choice) });
  }

  function goOn() {
    if (!asked()) return;
    if (!choice) {
      hint.textContent = "Tick the parts that the heat map shows, or “cannot tell”.";
      return;
    }
    keep();
    put({ position: following(model.get("position"), questions, model.get("answers")) });
  }

  function goBack() {
    if (!model.get("position")) return;
    keep();
    put({ position: model.get("position") - 1 });
  }

  function showQuestion() {
    const [position, now] = [model.get("position"), asked()];
    const held = view.contains(view.getRootNode().activeElement);
    far.textContent = progress(position, questions.length);
    for (const part of [look, question, next, keys]) part.hidden = !now;
    end.hidden = Boolean(now);
    back.ariaDisabled = String(position === 0); // keeps the focus, unlike disabled
    if (now) {
      const { photo: png, shape: [height, width] } = pictures[now.picture];
      frame.style.aspectRatio = `${width} / ${height}`;
      view.classList.toggle("xw-coarse", width < 160);
      photo.show(png);
      heat.show(now.map);
    } else if (held) {
      view.focus({ preventScroll: true });
    }
    showAnswers();
  }

  function showAnswers() {
    const answers = model.get("answers");
    bar.value = answers.length;
    choose(asked() ? answerTo(answers, asked()) : null);
  }

  function showChoice() {
    options.forEach((name, at) => {
      boxes[at].input.checked = Boolean(choice?.includes(name));
    });
    cannot.input.checked = choice?.length === 0;
    next.classList.toggle("xw-ready", Boolean(choice));
    hint.textContent = "";
  }

  function showAlert() {
    alert.textContent = model.get("message");
    alert.hidden = !alert.textContent;
  }

  /** What a key does; undefined for most keys. */
  function action({ key, target }) {
    if (key === "Enter") return target.matches("button") ? undefined : goOn;
    if (key === "Backspace") return goBack;
    if (!asked()) return undefined;
    if (key.toLowerCase() === "h") return () => bare.input.click();
    if (key === "0") return () => choose(withheld(choice));
    const name = optionOf(key, options);
    return name && (() => choose(toggled(choice, name, options)));
  }

  view.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const act = action(event);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });

  const heard = { "change:position": showQuestion, "change:answers": showAnswers, "change:message": showAlert };
  for (const [names, update] of Object.entries(heard)) model.on(names, update);
  const warn = (event) => {
    if (!alive && (pending() || model.get("answers") !== kept)) event.preventDefault();
  };
  window.addEventListener("beforeunload", warn);
  showAlert();
  showQuestion();
  if (!alive) view.focus({ preventScroll: true }); // keys work at once on a page of its own
  model.send({ type: "shown" });

  return () => {
    window.removeEventListener("beforeunload", warn);
    for (const [names, update] of Object.entries(heard)) model.off(names, update);
    photo.release();
    heat.release();
  };
}

export default { render };
