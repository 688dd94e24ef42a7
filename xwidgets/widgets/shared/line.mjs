// @ts-check
// Messages of widgets take a line that the kernel hears while a cell runs; line.py says why.

/**
 * What is used of ipywidgets and JupyterLab, where a view stands there.
 *
 * @typedef {{ send: (data: any, ...rest: any[]) => string }} Comm
 *
 * @typedef {Comm & {
 *   open: (data: any, callbacks: any, metadata: any, buffers: any[]) => string,
 *   jsServicesComm?: { isDisposed: boolean, subshellStarted?: Promise<void> },
 * }} Line
 *
 * @typedef {{ supportsSubshells?: boolean, commsOverSubshells?: string, info: Promise<any> }} Kernel
 *
 * @typedef {{
 *   kernel?: Kernel | null,
 *   get_model: (id: string) => Promise<any>,
 *   _create_comm: (target: string) => Promise<Line>,
 * }} Manager
 *
 * @typedef {{ get: (name: string) => any, widget_manager?: any }} Speaker
 */

const TARGET = "xwidgets.line";

/** How long a line may take to open, in milliseconds. */
const PATIENCE = 2000;

/** What the modules of all views share, each of which is loaded by itself. */
const everywhere = /** @type {Record<symbol, any>} */ (globalThis);
everywhere[Symbol.for(TARGET)] ??= new WeakMap();

/**
 * The line to each kernel; null after one that could not be opened, as none will.
 *
 * @type {WeakMap<Kernel, Promise<Line | null | undefined>>}
 */
const LINES = everywhere[Symbol.for(TARGET)];

/**
 * Lets messages of a view, and of what it brings along, take the line, where there can be one.
 *
 * @param {Speaker} model
 * @returns {Promise<void>} what is fulfilled when they do, or never will, or the line keeps one waiting
 */
export async function takeLine(model) {
  /** @type {Manager | undefined} */
  const manager = model.widget_manager;
  if (!manager?.kernel) return;
  const taken = lineTo(manager, manager.kernel)
    .then((line) => line && Promise.allSettled(model.get("_on_line").map((/** @type {string} */ id) => reroute(manager, line, id))))
    .catch((error) => console.debug("widgets wait for cells that run", error));
  await Promise.race([taken, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
}

/**
 * The opened line; undefined where it would be heard no sooner than others.
 *
 * @param {Manager} manager
 * @param {Kernel} kernel
 */
function lineTo(manager, kernel) {
  const line = (LINES.get(kernel) ?? Promise.resolve(undefined))
    .then((known) => known === null || (known && !known.jsServicesComm?.isDisposed) ? known : opened(manager, kernel));
  LINES.set(kernel, line.catch(() => null));
  return line;
}

/**
 * @param {Manager} manager
 * @param {Kernel} kernel
 */
async function opened(manager, kernel) {
  await kernel.info;
  if (!kernel.supportsSubshells || kernel.commsOverSubshells === "disabled") return undefined;
  const line = await manager._create_comm(TARGET);
  const started = line.jsServicesComm?.subshellStarted;
  if (!started) throw new Error("comms do not tell when they have their thread");
  await started; // or else it is opened in the thread of cells, and what is said until then is lost
  line.open({}, {}, {}, []);
  return line;
}

/**
 * Sends what a widget sends over the line.
 *
 * @param {Manager} manager
 * @param {Line} line
 * @param {string} id
 */
async function reroute(manager, line, id) {
  const model = await manager.get_model(id);
  if (model.comm) model.comm.send = (/** @type {any} */ data, /** @type {any[]} */ ...rest) => line.send({ to: id, data }, ...rest);
}
