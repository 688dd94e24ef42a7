// @ts-check
// Where keys move, and that they are the view's and not the page's.

/**
 * Whether a key was pressed with one that makes it a command of the browser.
 *
 * @param {KeyboardEvent} event
 */
export function isCommand(event) {
  return event.ctrlKey || event.metaKey || event.altKey;
}

/**
 * Takes a key, which then neither scrolls the page nor reaches the notebook.
 *
 * @param {KeyboardEvent} event
 */
export function take(event) {
  event.preventDefault();
  event.stopPropagation();
}

/**
 * Where an arrow key, Home or End moves in rows and columns; it stops at the borders. Null for other
 * keys.
 *
 * @param {number[]} place row and column
 * @param {string} key
 * @param {number[]} size height and width
 * @param {number} [by] how far an arrow moves
 * @returns {[number, number] | null}
 */
export function movedInGrid([row, column], key, [height, width], by = 1) {
  const move = new Map(Object.entries({
    ArrowUp: [row - by, column],
    ArrowDown: [row + by, column],
    ArrowLeft: [row, column - by],
    ArrowRight: [row, column + by],
    Home: [row, 0],
    End: [row, width - 1],
  })).get(key);
  if (!move) return null;
  const [y, x] = move;
  return [Math.max(0, Math.min(height - 1, y)), Math.max(0, Math.min(width - 1, x))];
}

/**
 * The row of a list to which a key moves from row `at` (-1: none); it stops at the ends. Null for
 * other keys.
 *
 * @param {number} at
 * @param {string} key
 * @param {number} count
 * @param {number} page how many rows are in sight
 */
export function movedInList(at, key, count, page) {
  const move = new Map(Object.entries({
    ArrowUp: at - 1,
    ArrowDown: at + 1,
    PageUp: at - page,
    PageDown: at + page,
    Home: 0,
    End: count - 1,
  })).get(key);
  if (move === undefined || count === 0) return null;
  return Math.max(0, Math.min(count - 1, move));
}

/**
 * Where a key moves from tile `at` of tiles that fill rows; null where there is none, and for other
 * keys.
 *
 * @param {number} at
 * @param {string} key
 * @param {number} count
 * @param {number} columns
 */
export function movedInTiles(at, key, count, columns) {
  const move = new Map(Object.entries({
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - columns,
    ArrowDown: at + columns,
    Home: 0,
    End: count - 1,
  })).get(key);
  return move !== undefined && move >= 0 && move < count ? move : null;
}

/**
 * Moves the focus between the buttons in an element, which fill rows, with the arrow keys.
 *
 * @param {HTMLElement} element
 */
export function moveFocus(element) {
  element.addEventListener("keydown", (event) => {
    if (isCommand(event)) return;
    const all = [...element.querySelectorAll("button")];
    const at = all.findIndex((tile) => tile === event.target);
    const columns = all.filter(({ offsetTop }) => offsetTop === all[0].offsetTop).length;
    const to = at < 0 ? null : movedInTiles(at, event.key, all.length, columns);
    if (to === null) return;
    take(event);
    all[to].focus();
  });
}
