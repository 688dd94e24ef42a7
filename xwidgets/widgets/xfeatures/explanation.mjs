// @ts-check
// The explanation in words: what the x-features say of the class, with the votes and without.

import { number } from "../shared/numbers.mjs";
import { nameOf, sorted } from "./features.mjs";

const LEAST = 0.01; // the smallest share that a sentence mentions

/**
 * @typedef {import("./features.mjs").Effect} Effect
 * @typedef {{ label: string, score: number }} Rival
 * @typedef {{ name: string, share: number }} Reason
 */

/**
 * "an" before a vowel, "a" before other letters.
 *
 * @param {string} noun
 */
export function article(noun) {
  const [letter = ""] = noun.normalize("NFD").match(/\p{L}/u) ?? [];
  return /[aeiou]/i.test(letter) ? "an" : "a";
}

/**
 * "an Alder finch"
 *
 * @param {string} noun
 */
function withArticle(noun) {
  return `${article(noun)} ${noun}`;
}

/**
 * What makes up the positive contributions that are not distrusted: names and shares, the largest
 * first; x-features with the same name count as one, those below 1 % are left out.
 *
 * @param {Effect[]} features
 * @param {string[]} names
 * @param {string[]} votes
 * @returns {Reason[]}
 */
export function reasons(features, names, votes) {
  /** @type {Map<string, number>} */
  const parts = new Map();
  for (const { index, contribution } of sorted(features)) {
    if (!(contribution > 0) || votes[index] === "distrust") continue;
    const name = nameOf(index, names);
    parts.set(name, (parts.get(name) ?? 0) + contribution);
  }
  const all = [...parts.values()].reduce((sum, part) => sum + part, 0);
  return [...parts]
    .map(([name, part]) => ({ name, share: part / all }))
    .filter(({ share }) => share >= LEAST)
    .sort((a, b) => b.share - a.share);
}

/**
 * The explanation in words; `value` is the score with the votes.
 *
 * @param {{
 *   label: string, features: Effect[], names: string[], votes: string[],
 *   score: number, value: number, rivals: Rival[],
 * }} judgement
 * @returns {(string | Reason)[]}
 */
export function sentence({ label, features, names, votes, score, value, rivals }) {
  const listed = reasons(features, names, votes);
  const noun = withArticle(label);
  if (!listed.length) {
    const distrusted = features.some(({ index, contribution }) => contribution > 0 && votes[index] === "distrust");
    return [distrusted
      ? `No x-feature that is trusted speaks for ${noun}.`
      : `No x-feature speaks for ${noun} in this picture.`];
  }
  const joined = listed.flatMap((reason, at) => {
    if (at === 0) return [reason];
    return [at === listed.length - 1 ? " and " : ", ", reason];
  });
  const [rival] = rivals;
  if (rival && Math.min(score, value) < rival.score) {
    const verb = listed.length > 1 ? "speak" : "speaks";
    return [...joined, ` ${verb} for ${noun}, but more speaks for ${withArticle(rival.label)}.`];
  }
  return [`It is ${noun} because of `, ...joined, "."];
}

/**
 * The approximation less what the distrusted x-features contribute.
 *
 * @param {number} approximation
 * @param {Effect[]} features
 * @param {string[]} votes
 */
export function without(approximation, features, votes) {
  const gone = features.filter(({ index }) => votes[index] === "distrust");
  const left = gone.reduce((rest, { contribution }) => rest - contribution, approximation);
  const size = gone.reduce((sum, { contribution }) => sum + Math.abs(contribution), Math.abs(approximation));
  return Math.abs(left) < 1e-6 * size ? 0 : left; // single precision leaves crumbs
}

/**
 * Whether the class wins with `value` in place of its score, and by how much, in words; null where
 * there is no other class.
 *
 * @param {{ score: number, value: number, rivals: Rival[], voted: boolean }} judgement
 */
export function verdict({ score, value, rivals, voted }) {
  const [rival] = rivals;
  if (!rival) return null;
  const margin = number(Math.abs(value - rival.score));
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

/**
 * What the votes make of the score of the class.
 *
 * @param {import("../shared/view.mjs").Model} model
 */
export function judged(model) {
  const [score, features, rivals] = ["score", "features", "rivals"].map((name) => model.get(name));
  const { votes, names } = model.get("opinion");
  const value = without(model.get("approximation"), features, votes);
  const voted = features.some((/** @type {Effect} */ { index }) => votes[index] === "distrust");
  return { score, features, rivals, names, votes, value, voted, verdict: verdict({ score, value, rivals, voted }) };
}
