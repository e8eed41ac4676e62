/**
 * What the page and its worker say to each other. Names inside values are the engine's own (`per_class`,
 * `batch_size`), as its serde form spells them.
 */

/** Raised whenever a message changes meaning; page and worker of different versions refuse each other. */
export const PROTOCOL_VERSION = 1;

/**
 * An engine error: a code with its values; `message` is the engine's English wording.
 * @typedef {{ code: string, message?: string, [value: string]: any }} EngineError
 */

/**
 * @typedef {object} Request
 * @property {number} version
 * @property {string} session the page's worker generation; replies of an earlier one are dropped
 * @property {number} id
 * @property {string} type one of the keys of {@link Calls}
 * @property {any} value
 */

/**
 * A reply: any number of `progress`, then one `done` or `error`.
 * @typedef {{ version: number, session: string, id: number } & (
 *   { kind: 'progress', value: any } | { kind: 'done', value: any } | { kind: 'error', error: EngineError }
 * )} Reply
 */

/** @typedef {'train' | 'validation' | 'test'} Split */

/**
 * @typedef {object} ClassCount
 * @property {string} name
 * @property {number} count
 * @property {number} train
 * @property {number} validation
 * @property {number} test
 */

/**
 * A remark of the data doctor: a code with values.
 * @typedef {{ code: string, [value: string]: any }} Note
 */

/** @typedef {{ name: string, reason: string }} Skipped */

/**
 * @typedef {object} LibrarySummary
 * @property {number} photos
 * @property {number} bytes memory that the stored photos take
 * @property {number} stored_size rows and columns of a stored photo
 * @property {ClassCount[]} classes
 * @property {Note[]} notes
 * @property {Skipped[]} skipped
 * @property {boolean} drawn whether the program drew them
 */

/** @typedef {{ done: number, total: number, name: string }} LoadProgress */

/**
 * A stored photo, small, as pixels.
 * @typedef {{ photo: number, name: string, class: string, size: number, pixels: Uint8ClampedArray }} Thumbnail
 */

/**
 * @typedef {object} Preset
 * @property {string} name
 * @property {string} text the network in its notation
 * @property {string} actions
 * @property {[number, number, number]} input
 * @property {number} classes
 * @property {number} parameters
 * @property {number} flops multiply-adds times two, one photo forward
 */

/**
 * One line of the structure listing.
 * @typedef {object} Layer
 * @property {number} depth nesting
 * @property {number} index
 * @property {string} kind
 * @property {string} name path in the network text
 * @property {number[]} input
 * @property {number[]} output
 * @property {number} parameters
 * @property {string} formula how the parameters are counted
 * @property {number} flops
 */

/**
 * A node of the graph, for its picture.
 * @typedef {{ name: string, kind: string, detail: string, inputs: number[], shape: [number, number, number] }} GraphNode
 */

/**
 * @typedef {object} Structure
 * @property {[number, number, number]} input
 * @property {number} parameters
 * @property {number} flops
 * @property {number} classes
 * @property {Layer[]} layers
 * @property {GraphNode[]} nodes
 */

/** @typedef {{ name: string, text: string, actions: string, input: [number, number, number] }} Network */

/**
 * @typedef {object} RecipeChoice
 * @property {string} name `textbook` or `modern`
 * @property {number} epochs
 * @property {number} batch_size
 * @property {number} seed
 */

/**
 * A report line's numbers.
 * @typedef {object} EpochLine
 * @property {number} epoch
 * @property {number} loss mean training loss
 * @property {number} accuracy training
 * @property {number} [validation_loss]
 * @property {number} [validation_accuracy]
 * @property {number} seconds since the last line
 * @property {number} total_seconds since the start
 */

/**
 * @typedef {object} TrainProgress
 * @property {number} epoch epochs done
 * @property {number} step steps done of all
 * @property {number} steps of all
 * @property {number} steps_per_epoch
 * @property {number} loss mean since the last message
 * @property {number} accuracy since the last message
 * @property {number} images since the last message
 * @property {number} seconds since the last message
 * @property {EpochLine[]} lines new ones
 * @property {boolean} finished
 */

/**
 * @typedef {object} ClassReport
 * @property {string} class
 * @property {number} support
 * @property {number} precision
 * @property {number} recall
 * @property {number} f1
 */

/** @typedef {{ photo: number, truth: number, predicted: number, probabilities: number[] }} Prediction */

/**
 * @typedef {object} Evaluation
 * @property {string[]} classes
 * @property {number} n
 * @property {number} accuracy
 * @property {number} loss
 * @property {number[][]} confusion
 * @property {ClassReport[]} per_class
 * @property {Prediction[]} predictions
 * @property {number} seconds
 */

/** @typedef {{ name: string, classes: string[], network: Network, parameters: number, resumable: boolean }} ModelSummary */

/** @typedef {{ classes: string[], probabilities: number[], milliseconds: number }} Answer */

/** @typedef {{ id: string, name: string, available: boolean }} Device */

/**
 * Every call: what it takes, what it gives, what it reports meanwhile.
 * @typedef {object} Calls
 * @property {{ value: {}, done: { build: string, devices: Device[], presets: Preset[] } }} hello
 * @property {{ value: { text: string, actions: string, input: [number, number, number], classes: number }, done: Structure }} describe
 * @property {{ value: { files: { path: string, file: Blob }[] }, done: LibrarySummary, progress: LoadProgress }} addFiles
 * @property {{ value: { per_class: number, seed: number }, done: LibrarySummary, progress: LoadProgress }} drawFlowers
 * @property {{ value: {}, done: LibrarySummary }} clearPhotos
 * @property {{ value: { photos: number[] } | { class: string, count: number }, done: Thumbnail[] }} thumbnails
 * @property {{ value: { network: Network, recipe: RecipeChoice, device: string }, done: { finished: boolean }, progress: TrainProgress }} train
 * @property {{ value: {}, done: { finished: boolean }, progress: TrainProgress }} resume
 * @property {{ value: { request: number }, done: {} }} cancel
 * @property {{ value: { split: Split }, done: Evaluation, progress: { done: number, total: number } }} evaluate
 * @property {{ value: { file: Blob }, done: Answer }} classify
 * @property {{ value: {}, done: { bytes: ArrayBuffer, summary: ModelSummary } }} save
 * @property {{ value: { bytes: ArrayBuffer }, done: ModelSummary }} open
 */

/** @typedef {keyof Calls} CallName */
