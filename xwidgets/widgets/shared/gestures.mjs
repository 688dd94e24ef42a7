// @ts-check
// Pointers and the wheel on an element: one that drags, two that pinch, a click, a turn.
//
// Places are down and right of the corner of a frame, in pixels.

import { LINE, SLACK } from "./viewport.mjs";

/**
 * @typedef {object} Acts
 * @property {(from: number[], to: number[]) => void} drag one pointer moved
 * @property {(from: number[][], to: number[][]) => void} pinch two moved
 * @property {(by: number, at: number[]) => void} turn a wheel turned, with Ctrl or ⌘; in pixels, downwards
 * @property {(at: number[], event: PointerEvent) => void} [click] one came and went
 * @property {(event: PointerEvent) => void} [drop] none is held any more after a drag or pinch
 * @property {(at: number[]) => void} [hover] one moved that is not held
 */

/**
 * Lets acts follow the pointers and the wheel. A wheel without Ctrl or ⌘ scrolls the page.
 *
 * @param {HTMLElement} element
 * @param {Acts} acts
 * @param {HTMLElement} [frame] around an element that is moved and enlarged in it
 */
export function listenToGestures(element, acts, frame = element) {
  /** @type {Map<number, number[]>} */
  const held = new Map(); // where each pointer was last
  let moved = false;
  /** @param {MouseEvent} event */
  const placeOf = ({ clientX, clientY }) => {
    const { left, top } = frame.getBoundingClientRect();
    return [clientY - top, clientX - left];
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (!held.size) moved = false;
    held.set(event.pointerId, placeOf(event));
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    const [from, to] = [held.get(event.pointerId), placeOf(event)];
    if (!from) {
      acts.hover?.(to);
      return;
    }
    const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
    if (!other && !moved && Math.hypot(to[0] - from[0], to[1] - from[1]) < SLACK) return;
    moved = true;
    held.set(event.pointerId, to);
    if (other) acts.pinch([from, other], [to, other]);
    else acts.drag(from, to);
  });
  /** @param {PointerEvent} event */
  const release = (event) => {
    if (!held.delete(event.pointerId) || held.size) return;
    if (moved) acts.drop?.(event);
    else if (event.type === "pointerup") acts.click?.(placeOf(event), event);
  };
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
  element.addEventListener("lostpointercapture", release);
  element.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    acts.turn(event.deltaY * (event.deltaMode ? LINE : 1), placeOf(event));
  }, { passive: false });
}
