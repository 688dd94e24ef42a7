// @ts-check
// The points: moved and enlarged, pointed at, opened by a click, and selected by a lasso.

import { channelsOf } from "../shared/colors.mjs";
import { keepKeys, make, press } from "../shared/dom.mjs";
import { listenToGestures } from "../shared/gestures.mjs";
import { isCommand, take } from "../shared/keyboard.mjs";
import { number } from "../shared/numbers.mjs";
import { picture } from "../shared/pictures.mjs";
import { put } from "../shared/view.mjs";
import { dragged, keyed, partOf, pinched, wheeled } from "../shared/viewport.mjs";
import { colorsOf, inside, nearest, nextPoint, pixelOf, plot } from "./points.mjs";
import { ASPECT, wordsOf } from "./survey.mjs";

/**
 * @typedef {import("../shared/view.mjs").Model} Model
 * @typedef {import("./survey.mjs").Survey} Survey
 */

const RADIUS = { least: 1.4, most: 4.5, of: 90 }; // of points in CSS pixels, smaller the more there are
const REACH = 8; // pixels within which a point is pointed at
const WAIT = 120; // milliseconds until the picture of a point is asked for
const MEANING = "Neighbours have like maps. How far heaps are from each other, and how large they are, means nothing.";

/**
 * What is drawn on the canvas of points, at most once a frame.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {() => Survey} survey
 * @param {() => { top: number, left: number, side: number }} part
 */
function makePainter(canvas, survey, part) {
  let waiting = 0;
  const paint = () => {
    waiting = 0;
    const { clientWidth } = canvas;
    if (!clientWidth) return;
    const scale = window.devicePixelRatio;
    const [width, height] = [Math.round(clientWidth * scale), Math.round(clientWidth / ASPECT * scale)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const { points, column, chosen } = survey();
    const image = new ImageData(width, height);
    const colors = colorsOf(column, points.numbers.length);
    const radius = scale * Math.min(RADIUS.most, Math.max(RADIUS.least, RADIUS.of / Math.sqrt(points.numbers.length)));
    plot(new Uint32Array(image.data.buffer), width, points, colors, {
      radius, raised: radius + scale, part: part(), chosen, faint: pixelOf(channelsOf("#9a9a9a"), 0.35),
    });
    canvas.getContext("2d")?.putImageData(image, 0, 0);
  };
  const draw = () => { waiting ||= requestAnimationFrame(paint); };
  const sizes = new ResizeObserver(draw);
  sizes.observe(canvas);
  return { draw, leave: () => { sizes.disconnect(); cancelAnimationFrame(waiting); } };
}

/**
 * What is said of the point under the pointer or the focus, with its picture where there is a kernel.
 *
 * @param {Model} model
 * @param {() => Survey} survey
 */
function makeTip(model, survey) {
  const thumb = picture({ className: "xw-thumb" });
  const words = make("span", { className: "xw-words", ariaLive: "polite" });
  const element = make("div", { className: "xw-tip", hidden: true }, thumb.image, words);
  const ring = make("span", { className: "xw-ring", hidden: true });
  let [place, timer] = [-1, 0];
  const draw = () => {
    const { numbers } = survey().points;
    const { number: drawn, png } = model.get("pointed");
    if (place >= 0 && drawn === numbers[place]) thumb.show(png);
    else thumb.image.hidden = true;
  };
  /**
   * @param {number} at place of the point; -1 for none
   * @param {number[]} where x and y, as shares of the stage
   */
  const show = (at, [x, y]) => {
    element.hidden = ring.hidden = at < 0;
    if (at < 0) {
      place = at;
      return;
    }
    Object.assign(ring.style, { left: `${100 * x}%`, top: `${100 * y}%` });
    element.style.left = x < 0.5 ? `calc(${100 * x}% + 14px)` : "";
    element.style.right = x < 0.5 ? "" : `calc(${100 - 100 * x}% + 14px)`;
    element.style.top = y < 0.5 ? `${100 * y}%` : "";
    element.style.bottom = y < 0.5 ? "" : `${100 - 100 * y}%`;
    if (at === place) return;
    place = at;
    const known = survey();
    words.textContent = [`picture ${known.points.numbers[at]}`, ...wordsOf(known, at, number)].join("\n");
    clearTimeout(timer);
    if (model.get("alive")) timer = window.setTimeout(() => model.send({ type: "point", number: known.points.numbers[at] }), WAIT);
    draw();
  };
  return { element, ring, show, draw, at: () => place, leave: () => clearTimeout(timer) };
}

/**
 * A line around what a pointer goes about.
 *
 * @param {HTMLElement} stage
 */
function makeLasso(stage) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
  svg.setAttribute("class", "xw-lasso");
  svg.setAttribute("viewBox", "0 0 1 1");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.append(line);
  stage.append(svg);
  /** @param {number[][]} corners as shares of the stage */
  return (corners) => line.setAttribute("points", corners.map((corner) => corner.join(",")).join(" "));
}

/**
 * Selects, moves and opens by one pointer, and enlarges by two or a wheel.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {{ isMoving: () => boolean, turn: (by: number, at: number[]) => void, hover: (at: number[]) => void,
 *   leave: () => void, drag: (by: number[]) => void, pinch: (from: number[][], to: number[][], size: number[]) => void,
 *   outline: (corners: number[][]) => void, select: (corners: number[][], add: boolean) => void,
 *   open: (at: number[]) => void }} acts whose places are right and down, as shares of the canvas, but for `pinch`
 */
function listenToPointer(canvas, acts) {
  /** @type {number[][] | null} */
  let corners = []; // null where two pointers were held, which draw no line
  const shared = (/** @type {number[]} */ [down, right]) => [right / canvas.clientWidth, down / canvas.clientHeight];
  listenToGestures(canvas, {
    hover: (at) => acts.hover(shared(at)),
    click: (at) => acts.open(shared(at)),
    turn: (by, at) => acts.turn(by, shared(at)),
    drag: (from, to) => {
      const [before, now] = [shared(from), shared(to)];
      if (acts.isMoving()) acts.drag(now.map((value, axis) => value - before[axis]));
      else if (corners) {
        if (!corners.length) corners.push(before);
        corners.push(now);
        acts.outline(corners);
      }
    },
    pinch: (from, to) => {
      corners = null;
      acts.outline([]);
      acts.pinch(from, to, [canvas.clientHeight, canvas.clientWidth]);
    },
    drop: (event) => {
      if (corners?.length && event.type === "pointerup") acts.select(corners, event.shiftKey);
      corners = [];
      acts.outline([]);
    },
  });
  canvas.addEventListener("pointerleave", ({ buttons }) => { if (!buttons) acts.leave(); });
}

/**
 * Which part of the plane is shown, and where places on the stage are in it; all as shares of width
 * and height.
 *
 * @param {Model} model
 */
function makeView(model) {
  const viewport = () => ({ zoom: model.get("zoom"), center: model.get("center") });
  const part = () => partOf(viewport());
  /** @param {{ zoom: number, center: number[] }} next */
  const look = (next) => put(model, next);
  return {
    part, look,
    /** Moves the points so that this place is in sight. */
    show: (/** @type {number[]} */ [x, y]) => {
      const { top, left, side } = part();
      if (x < left || x > left + side || y < top || y > top + side) look({ zoom: viewport().zoom, center: [y, x] });
    },
    shown: (/** @type {number[]} */ [x, y]) => [(x - part().left) / part().side, (y - part().top) / part().side],
    planed: (/** @type {number[]} */ [x, y]) => [part().left + x * part().side, part().top + y * part().side],
    drag: (/** @type {number[]} */ [across, down]) => look(dragged(viewport(), [down, across])),
    turn: (/** @type {number} */ by, /** @type {number[]} */ [x, y]) => look(wheeled(viewport(), by, [y, x])),
    pinch: (/** @type {number[][]} */ from, /** @type {number[][]} */ to, /** @type {number[]} */ size) => {
      look(pinched(viewport(), from, to, size));
    },
    key: (/** @type {string} */ key) => keyed(viewport(), key),
  };
}

/**
 * The keys that enlarge the points, go from one to the next and open one.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {{ key: (key: string) => boolean, arrow: (key: string) => void, open: () => void, clear: () => void,
 *   leave: () => void }} acts
 */
function listenToKeys(canvas, acts) {
  canvas.addEventListener("blur", acts.leave);
  canvas.addEventListener("keydown", (event) => {
    if (isCommand(event)) return;
    if (event.key.startsWith("Arrow")) acts.arrow(event.key);
    else if (event.key === "Enter") acts.open();
    else if (event.key === "Escape") acts.clear();
    else if (!acts.key(event.key)) return;
    take(event);
  });
}

const WHOLE = [[0, 0], [1, 0], [1, 1], [0, 1]];

/**
 * What selects and opens pictures by their points.
 *
 * @param {Model} model
 * @param {() => Survey} survey
 */
function makeChoice(model, survey) {
  /**
   * @param {number[]} numbers
   * @param {boolean} [add] to those that are selected
   */
  const select = (numbers, add = false) => {
    const all = add ? [...new Set([...model.get("selected"), ...numbers])] : numbers;
    put(model, { selected: [...all].sort((one, other) => one - other) });
  };
  /** @param {number} place of a point; -1 for none */
  const open = (place) => {
    if (place >= 0 && model.get("alive")) put(model, { opened: survey().points.numbers[place] });
  };
  return { select, open };
}

/**
 * @param {Model} model
 * @param {() => Survey} survey
 */
export function makeScatter(model, survey) {
  const canvas = make("canvas", { tabIndex: 0 });
  canvas.setAttribute("role", "img");
  const stage = make("div", { className: "xw-stage" }, canvas);
  const [view, choice, tip] = [makeView(model), makeChoice(model, survey), makeTip(model, survey)];
  const painter = makePainter(canvas, survey, view.part);
  const outline = makeLasso(stage);
  stage.append(tip.ring, tip.element);
  let moving = false;

  const near = (/** @type {number[]} */ where) => {
    const reach = [canvas.clientWidth, canvas.clientHeight].map((size) => REACH / size * view.part().side);
    return nearest(survey().points, view.planed(where), reach);
  };
  const point = (/** @type {number} */ at) => {
    const { xs, ys } = survey().points;
    tip.show(at, at < 0 ? [0, 0] : view.shown([xs[at], ys[at]]));
  };
  const enclosed = (/** @type {number[][]} */ corners) => inside(survey().points, corners.map(view.planed));
  listenToPointer(canvas, {
    outline,
    isMoving: () => moving,
    hover: (where) => point(near(where)),
    leave: () => point(-1),
    drag: view.drag, pinch: view.pinch, turn: view.turn,
    select: (corners, add) => choice.select(enclosed(corners), add),
    open: (where) => choice.open(near(where)),
  });
  const zoom = (/** @type {string} */ key) => {
    const next = view.key(key);
    if (next) view.look(next);
    return next !== null;
  };
  listenToKeys(canvas, {
    key: zoom,
    arrow: (key) => {
      const { points } = survey();
      const next = tip.at() < 0 ? nearest(points, view.planed([0.5, 0.5]), [2, 2]) : nextPoint(points, tip.at(), key);
      if (next < 0) return;
      view.show([points.xs[next], points.ys[next]]);
      point(next);
    },
    open: () => choice.open(tip.at()),
    clear: () => choice.select([]), leave: () => point(-1),
  });
  const tools = makeScatterTools({
    zoom, setMoving: (on) => { moving = on; },
    selectShown: () => choice.select(enclosed(WHOLE)),
    clear: () => choice.select([]),
  });
  const meaning = make("p", { className: "xw-quiet", textContent: MEANING });
  const element = make("div", { className: "xw-scatter" }, tools, stage, meaning);
  keepKeys(element);
  const draw = () => {
    canvas.ariaLabel = `${survey().points.numbers.length} pictures as points, like maps near each other. Arrows go from point to point.`;
    point(tip.at());
    painter.draw();
  };
  /** @type {import("../shared/view.mjs").Draw[]} */
  const draws = [
    [["numbers", "places", "columns", "colored_by", "selected", "zoom", "center"], draw],
    [["pointed"], tip.draw],
  ];
  return { element, draws, leave: () => { painter.leave(); tip.leave(); } };
}

/**
 * @param {{ setMoving: (on: boolean) => void, zoom: (key: string) => boolean, selectShown: () => void, clear: () => void }} acts
 */
function makeScatterTools({ setMoving, zoom, selectShown, clear }) {
  const modes = [["Lasso", "select the points inside a line that is drawn"], ["Move", "move the points"]].map(([text, title], at) => {
    return press(text, () => set(at), { title, ariaPressed: String(at === 0) });
  });
  const set = (/** @type {number} */ chosen) => {
    modes.forEach((button, at) => { button.ariaPressed = String(at === chosen); });
    setMoving(chosen === 1);
  };
  /** @type {(text: string, key: string, title: string) => HTMLButtonElement} */
  const button = (text, key, title) => press(text, () => zoom(key), { title, ariaLabel: title });
  return make("div", { className: "xw-tools", role: "toolbar", ariaLabel: "points" }, ...modes,
    button("−", "-", "zoom out"), button("+", "+", "zoom in"), button("All", "0", "all points"),
    press("Select what is shown", selectShown), press("Select none", clear));
}
