// @ts-check
// Max pooling with switches, and unpooling, as lessons/max_pool.py computes them.

/**
 * @typedef {number[][]} Rows a map, or a signal as a map of one row
 *
 * @typedef {{ row: number, column: number, height: number, width: number }} Window
 *
 * @typedef {{ values: Rows, switches: [number, number][][], windows: Window[][] }} PooledMap
 */

/**
 * How many windows fit.
 *
 * @param {number} length
 * @param {number} window
 * @param {number} stride
 */
function fitting(length, window, stride) {
  return Math.floor((length - window) / stride) + 1;
}

/**
 * The largest number of every window, and where it stood; of equal numbers the first.
 *
 * @param {Rows} rows
 * @param {[number, number]} size of the window: height and width
 * @param {number} stride
 * @returns {PooledMap}
 */
export function pool(rows, [height, width], stride) {
  const down = fitting(rows.length, height, stride);
  const across = fitting(rows[0].length, width, stride);
  const windows = Array.from({ length: down }, (_, y) => Array.from({ length: across }, (_, x) =>
    ({ row: y * stride, column: x * stride, height, width })));
  const switches = windows.map((line) => line.map((window) => largestIn(rows, window)));
  const values = switches.map((line) => line.map(([y, x]) => rows[y][x]));
  return { values, switches, windows };
}

/**
 * Row and column of the largest number in a window.
 *
 * @param {Rows} rows
 * @param {Window} window
 * @returns {[number, number]}
 */
function largestIn(rows, { row, column, height, width }) {
  /** @type {[number, number]} */
  let best = [row, column];
  for (let y = row; y < row + height; y++) {
    for (let x = column; x < column + width; x++) {
      if (rows[y][x] > rows[best[0]][best[1]]) best = [y, x];
    }
  }
  return best;
}

/**
 * Every value at its switch, and zeros elsewhere; where windows share a switch, their sum.
 *
 * @param {Pick<PooledMap, "values" | "switches">} pooled
 * @param {[number, number]} size of the map that was pooled
 * @returns {Rows}
 */
export function unpool({ values, switches }, [height, width]) {
  const rows = Array.from({ length: height }, () => Array(width).fill(0));
  for (const [y, line] of switches.entries()) {
    for (const [x, [row, column]] of line.entries()) rows[row][column] += values[y][x];
  }
  return rows;
}

/**
 * Whether a place lies in a window.
 *
 * @param {Window} window
 * @param {number} y
 * @param {number} x
 */
export function inside({ row, column, height, width }, y, x) {
  return y >= row && y < row + height && x >= column && x < column + width;
}
