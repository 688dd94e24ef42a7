// @ts-check
// Names of x-features and votes on them, and how changes are undone.

export const LIMIT = 100; // how many changes can be undone

/**
 * @typedef {{ names: string[], votes: string[] }} State
 * @typedef {State & { history: State[] }} Opinion
 */

/**
 * @param {string[]} list
 * @param {number} index
 * @param {string} value
 * @param {number} count
 */
function changed(list, index, value, count) {
  const length = Math.max(list.length, count);
  return Array.from({ length }, (_, at) => (at === index ? value : list[at] ?? ""));
}

/**
 * The names with this one for an x-feature; null when that is what it is called already.
 *
 * @param {string[]} names
 * @param {number} index
 * @param {string} text
 * @param {number} count
 */
export function named(names, index, text, count) {
  const name = text.trim().replace(/\s+/g, " ");
  return name === (names[index] ?? "") ? null : changed(names, index, name, count);
}

/**
 * The votes after a press on a vote; a second press withdraws it.
 *
 * @param {string[]} votes
 * @param {number} index
 * @param {string} vote
 * @param {number} count
 */
export function voted(votes, index, vote, count) {
  return changed(votes, index, votes[index] === vote ? "" : vote, count);
}

/**
 * The history with one more state, the oldest forgotten.
 *
 * @param {State[]} history
 * @param {State} state
 */
export function pushed(history, { names, votes }) {
  return [...history, { names, votes }].slice(-LIMIT);
}

/**
 * The newest state of the history, and the history before it; null when there is none.
 *
 * @param {State[]} history
 */
export function undone(history) {
  const last = history.at(-1);
  return last ? { history: history.slice(0, -1), names: last.names, votes: last.votes } : null;
}

/**
 * Names to offer: those in use, then earlier ones, each once.
 *
 * @param {string[]} names
 * @param {string[]} suggestions
 */
export function offered(names, suggestions) {
  return [...new Set([...names, ...suggestions])].filter(Boolean);
}
