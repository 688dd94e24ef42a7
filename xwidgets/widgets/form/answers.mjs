// @ts-check
// Choices and answers of the form.
//
// What is ticked becomes an answer when the person goes on or back: until then it is a choice, the
// names of parts, [] for "cannot tell", null for nothing yet.

const KEYS = "123456789abcdefgijklmnopqrstuvwxyz"; // without 0, cannot tell, and h, the heat map

/**
 * @typedef {{ picture: number, "x-feature": number }} Question
 * @typedef {Question & { parts: string[] }} Answer
 * @typedef {string[] | null} Choice
 */

/**
 * The key that ticks the option at this place; "" for none.
 *
 * @param {number} place
 */
export function keyOf(place) {
  return KEYS[place] ?? "";
}

/**
 * The option that a key ticks; undefined for none.
 *
 * @param {string} key
 * @param {string[]} options
 * @returns {string | undefined}
 */
export function optionOf(key, options) {
  return key.length === 1 ? options[KEYS.indexOf(key.toLowerCase())] : undefined;
}

/**
 * The choice with one part more, or less, in the order of the options.
 *
 * @param {Choice} choice
 * @param {string} part
 * @param {string[]} options
 * @returns {Choice}
 */
export function toggled(choice, part, options) {
  const ticked = new Set(choice);
  if (!ticked.delete(part)) ticked.add(part);
  return ticked.size ? options.filter((option) => ticked.has(option)) : null;
}

/**
 * The choice after a press on "cannot tell", which goes with no part.
 *
 * @param {Choice} choice
 * @returns {Choice}
 */
export function withheld(choice) {
  return choice?.length === 0 ? null : [];
}

/**
 * @param {Question[]} answers
 * @param {Question} question
 */
function placeOf(answers, question) {
  return answers.findIndex((answer) => answer.picture === question.picture
    && answer["x-feature"] === question["x-feature"]);
}

/**
 * What was answered to a question; null when nothing was.
 *
 * @param {Answer[]} answers
 * @param {Question} question
 * @returns {Choice}
 */
export function answerTo(answers, question) {
  return answers[placeOf(answers, question)]?.parts ?? null;
}

/**
 * The answers with this one, in place of an earlier one to the same question.
 *
 * @param {Answer[]} answers
 * @param {Question} question
 * @param {string[]} parts
 */
export function answered(answers, question, parts) {
  const { picture, "x-feature": feature } = question;
  const answer = { picture, "x-feature": feature, parts };
  const at = placeOf(answers, question);
  return at < 0 ? [...answers, answer] : answers.map((other, place) => (place === at ? answer : other));
}

/**
 * Whether a choice is one, and not what was answered already.
 *
 * @param {Choice} choice
 * @param {Choice} answer
 */
export function revised(choice, answer) {
  return choice !== null && JSON.stringify(choice) !== JSON.stringify(answer);
}

/**
 * The question after one: the next, and after the last the first without an answer; the number of
 * questions when there is none.
 *
 * @param {number} position
 * @param {Question[]} questions
 * @param {Answer[]} answers
 */
export function following(position, questions, answers) {
  if (position + 1 < questions.length) return position + 1;
  const open = questions.findIndex((question) => answerTo(answers, question) === null);
  return open < 0 ? questions.length : open;
}

/**
 * Where a person goes on who answered before: at the first question without an answer.
 *
 * @param {Question[]} questions
 * @param {Answer[]} before of which those to other questions are dropped
 */
export function resumed(questions, before) {
  const answers = before.filter((answer) => placeOf(questions, answer) >= 0);
  return { answers, position: answers.length ? following(questions.length, questions, answers) : 0 };
}

/**
 * "3 of 40", and at the end how many were answered.
 *
 * @param {number} position
 * @param {number} count
 */
export function progress(position, count) {
  return position < count ? `${position + 1} of ${count}` : `${count} of ${count} answered`;
}

/**
 * The text of the file, as the kernel writes it.
 *
 * @param {Record<string, any>} facts
 * @param {Answer[]} answers
 */
export function file(facts, answers) {
  return JSON.stringify({ ...facts, answers }, null, 2);
}
