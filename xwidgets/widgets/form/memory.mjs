// @ts-check
// Answers that outlive the page they were given on, where a browser keeps them.

/** @typedef {import("./answers.mjs").Answer} Answer */

/**
 * Where the answers to a form are kept; nothing is where the browser does not allow it.
 *
 * @param {Record<string, any>} facts of the form
 */
export function makeMemory(facts) {
  const key = `xwidgets answers ${JSON.stringify(facts)}`;
  /** @returns {Answer[]} */
  const recall = () => {
    try {
      const answers = JSON.parse(localStorage.getItem(key) ?? "[]");
      return Array.isArray(answers) ? answers : [];
    } catch {
      return [];
    }
  };
  /** @param {Answer[]} answers */
  const keep = (answers) => {
    try {
      localStorage.setItem(key, JSON.stringify(answers));
      return true;
    } catch {
      return false;
    }
  };
  return { recall, keep };
}
