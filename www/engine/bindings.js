/** The crate's bindings as the worker uses them: their own types, completed where they say `any`. */

/** @typedef {import('./protocol.js').Calls} Calls */
/** @typedef {import('../pkg/base/floret.js').Engine} Bound */

/**
 * The module; the build with threads has a pool to start.
 * @typedef {Omit<typeof import('../pkg/base/floret.js'), 'Engine'>
 *   & { Engine: new () => Engine, initThreadPool?: (threads: number) => Promise<unknown> }} Module
 */

/**
 * A photo that the browser may be able to decode.
 * @typedef {{
 *   path: string, name: string, bytes: Uint8Array, reason: import('./protocol.js').Words
 * }} Foreign
 */

/**
 * How far reading is.
 * @typedef {{ finished: boolean, bytes: number, photos: number, name: string, foreign: boolean }} Step
 */

/**
 * A photo to be asked about, decoded, or why it was not.
 * @typedef {{ size: number, pixels: Uint8Array } | { reason: import('./protocol.js').Words }} Asked
 */

/**
 * What the methods give of which the bindings say `any`.
 * @typedef {object} Given
 * @property {import('./progress.js').EngineProgress} advance
 * @property {Calls['agreement']['done']} agreement
 * @property {Calls['attention']['done']} attention
 * @property {Calls['classify']['done']} classify
 * @property {Calls['describe']['done']} describe
 * @property {import('./protocol.js').DeviceName} device
 * @property {import('./protocol.js').LibrarySummary} edit
 * @property {Calls['evaluate']['done']} evaluate
 * @property {import('./protocol.js').LibrarySummary} finish_photos
 * @property {Calls['sample']['done']} drawn_flower
 * @property {Calls['sample']['done']} held_back_photo
 * @property {import('./protocol.js').Hello} hello
 * @property {import('./protocol.js').LayerSignal[]} layer_signals
 * @property {import('./protocol.js').ModelSummary} open
 * @property {Asked} photo_to_ask
 * @property {import('./progress.js').EngineProgress} progress
 * @property {Step} read_archive
 * @property {Calls['recordRun']['done']} record_run
 * @property {import('./protocol.js').LibrarySummary} redo_edit
 * @property {Step} settle
 * @property {Foreign[]} take_foreign
 * @property {import('./protocol.js').LibrarySummary} sum_up_photos
 * @property {import('./protocol.js').Thumbnail[]} thumbnails
 * @property {import('./protocol.js').Thumbnail[]} thumbnails_of_class
 * @property {import('./protocol.js').Tried[]} tried
 * @property {import('./protocol.js').LibrarySummary} undo_edit
 */

/**
 * A method with another result.
 * @template Method, Result
 * @typedef {Method extends (...values: infer Values) => infer Open
 * ? (...values: Values) => 0 extends 1 & Open ? Result : Open extends Promise<unknown> ? Promise<Result> :
 * Result
 *   : never} Giving
 */

/**
 * The crate's boundary, which holds photos, run and models.
 * @typedef {{ [Name in keyof Bound]: Name extends keyof Given ? Giving<Bound[Name], Given[Name]> :
 *   Bound[Name] }} Engine
 */

/**
 * Whether a type is `any`, or a list of that.
 * @template Type
 * @typedef {0 extends 1 & Type ? true
 *   : Type extends unknown[] ? 0 extends 1 & Type[number] ? true : false : false} IsOpen
 */

/**
 * Names of the methods whose result the bindings leave open.
 * @typedef {{
 *   [Name in keyof Bound]: Bound[Name] extends (...values: any[]) => infer Result
 *     ? IsOpen<Awaited<Result>> extends true ? Name : never
 *     : never
 * }[keyof Bound]} Open */

/** A type that must be empty. @template {never} Type @typedef {Type} Nothing */

/** Every open result is typed above. @typedef {Nothing<Exclude<Open, keyof Given>>} NoneIsForgotten */
/**
 * Every result above is of a method that there is.
 * @typedef {Nothing<Exclude<keyof Given, Open>>} NoneIsGone
 */

export {};
