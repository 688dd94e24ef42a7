// @ts-check
// One way to write measured numbers, shares and times; results/numbers.py writes the same.

/**
 * A number to three significant digits: "0.500", "12300", "1.20e−4", "−∞", and "–" for none.
 *
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
export function number(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const sign = value < 0 ? "−" : "";
  const size = Math.abs(value);
  if (size === Infinity) return `${sign}∞`;
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e6) {
    return sign + size.toExponential(digits - 1).replace("e+", "e").replace("e-", "e−");
  }
  const text = size.toPrecision(digits);
  return sign + (text.includes("e") ? String(Number(text)) : text);
}

/**
 * A round number that was chosen, without digits that say nothing: "0.05", "2", "1.0e−5".
 *
 * @param {number} value
 */
export function brief(value) {
  return value > 0 && value < 1e-3 ? number(value, 2) : String(Number(value.toPrecision(2)));
}

/**
 * As `number`, with a sign in any case, but for zero: "+1.25".
 *
 * @param {number | null | undefined} value
 */
export function signed(value) {
  return (value !== null && value !== undefined && value > 0 ? "+" : "") + number(value);
}

/**
 * A share in percent, to one decimal: "42.0 %", "4.2 %"; "0 %" and "100 %" for nothing and all,
 * "< 0.1 %" and "> 99.9 %" for what is not quite that; "–" for none.
 *
 * @param {number | null | undefined} share
 */
export function percent(share) {
  if (share === null || share === undefined || Number.isNaN(share)) return "–";
  if (share > 0 && share < 0.001) return "< 0.1 %";
  if (share < 1 && share > 0.999) return "> 99.9 %";
  return share === 0 || share === 1 ? `${100 * share} %` : `${(100 * share).toFixed(1)} %`;
}

/**
 * "12 s", "3 min", "2 h 10 min".
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * "12 s left"; "" where it is not known.
 *
 * @param {number | null | undefined} seconds
 */
export function timeLeft(seconds) {
  return seconds === null || seconds === undefined ? "" : `${duration(seconds)} left`;
}
