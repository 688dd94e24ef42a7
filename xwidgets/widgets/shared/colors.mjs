// @ts-check
// Colours and what lies between them.

/**
 * Red, green and blue of a colour, 0 to 255.
 *
 * @param {string} color "#rrggbb"
 */
export function channelsOf(color) {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}

/**
 * The colour at a share of the way along evenly spaced stops, as `ramp` of render.py.
 *
 * @param {number[][]} stops channels of each
 * @param {number} share
 */
export function colorAlong(stops, share) {
  const place = share * (stops.length - 1);
  const below = Math.min(Math.floor(place), stops.length - 2);
  return stops[below].map((from, channel) => from + (place - below) * (stops[below + 1][channel] - from));
}
