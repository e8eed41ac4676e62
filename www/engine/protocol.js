/**
 * What the page and its worker say to each other. Names inside values are the engine's own (`per_class`,
 * `batch_size`), as its serde form spells them.
 */

/** Raised whenever a message changes meaning; page and worker of different versions refuse each other. */
export const PROTOCOL_VERSION = 1;

/**
 * A phrase of the catalogues in www/i18n/errors, with what stands in it.
 * @typedef {{ key: string, values: { [name: string]: Value } }} Words
 */

/** What stands in a phrase: a number, a name, or a phrase. @typedef {number | string | Words} Value */

/**
 * An error: a code with its values, worded by the page; `message` and `detail` are for the console.
 * @typedef {{ code: string, message?: string, [value: string]: any }} EngineError
 */

/**
 * What computes. A GPU's name is its interface and adapter.
 * @typedef {{ kind: 'cpu', threads: number } | { kind: 'gpu', name: string }} DeviceName
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

/**
 * The engine's name for one of its models: the run's, or the one that was opened last.
 * @typedef {'run' | 'opened'} ModelId
 */

/** @typedef {'train' | 'validation' | 'test'} Split */

/** @typedef {{ height: number, width: number, channels: number }} Shape */

/** @typedef {{ label: string, total: number, train: number, validation: number, test: number }} ClassCount */

/**
 * What the data doctor found; photos by number. Every list is empty in a healthy data set.
 * @typedef {object} DoctorReport
 * @property {string[]} duplicates
 * @property {number[][]} conflicts
 * @property {number[][]} near_duplicates
 * @property {string[]} small_classes
 * @property {[string, string] | null} imbalance
 * @property {number[]} blank
 * @property {number[]} tiny
 * @property {number[]} unlabelled
 */

/** @typedef {{ name: string, reason: Words }} Skipped */

/**
 * @typedef {object} LibrarySummary
 * @property {number} photos
 * @property {number} bytes memory that the stored photos take
 * @property {number} stored_size rows and columns of a stored photo
 * @property {ClassCount[]} classes
 * @property {DoctorReport} doctor
 * @property {Skipped[]} skipped
 */

/** A file of the user with the path that it came under. @typedef {{ path: string, file: Blob }} Source */

/**
 * Photos that are there, the part (0 to 1) of the work that is done, and a small picture of the newest now
 * and then.
 * @typedef {{ done: number, part: number, name: string, shown: Thumbnail[] }} LoadProgress
 */

/** Bytes or photos that are dealt with, of all. @typedef {{ done: number, total: number }} CountProgress */

/**
 * A stored photo, small, as pixels.
 * @typedef {{ photo: number, name: string, class: string, size: number, pixels: Uint8ClampedArray }}
 *   Thumbnail
 */

/**
 * @typedef {object} Preset
 * @property {string} name
 * @property {Shape} input
 * @property {number} classes
 * @property {string} actions
 * @property {number} parameters
 * @property {number} flops multiply-adds times two, one photo forward
 */

/**
 * One line of the structure listing: a layer, or a group with the sums of what it holds.
 * @typedef {object} Row
 * @property {number | null} index none for a group
 * @property {number} depth groups around it
 * @property {string} kind
 * @property {string} path
 * @property {Shape} input
 * @property {Shape} output
 * @property {number[] | null} kernel HWIO, or in × out
 * @property {number} parameters
 * @property {number} flops
 * @property {number} activation_bytes all outputs of one photo while training
 * @property {[number, number]} receptive_field
 */

/**
 * A node of the graph, for its picture.
 * @typedef {object} GraphNode
 * @property {string} kind
 * @property {boolean} is_drawn_with_input whether it is part of the block before it
 * @property {number[]} inputs
 * @property {Shape} shape
 * @property {[number, number]} [kernel_size]
 * @property {[number, number]} [stride]
 */

/**
 * @typedef {object} Structure
 * @property {Row[]} rows
 * @property {GraphNode[]} nodes
 * @property {number} parameters
 * @property {number} flops
 * @property {number} activation_bytes
 */

/**
 * A network as the page holds it: its text, rows and columns of its input, and the actions of a ready-made
 * one.
 * @typedef {{ name: string, text: string, size: number, actions: string | null }} Network
 */

/**
 * @typedef {object} RecipeChoice
 * @property {string} name `textbook`, `modern` or `fine_tune`
 * @property {number} epochs
 * @property {number} batch_size
 * @property {number} seed
 */

/**
 * What a run starts from: chance, or the opened model, whose head alone is trained or all of it.
 * @typedef {'scratch' | 'head' | 'whole'} Origin
 */

/**
 * A report line's numbers.
 * @typedef {object} EpochLine
 * @property {number} epoch
 * @property {number} loss mean training loss
 * @property {number} accuracy training
 * @property {number | null} [validation_loss]
 * @property {number | null} [validation_accuracy]
 * @property {number} seconds since the last line
 * @property {number} total_seconds since the start
 */

/**
 * @typedef {object} TrainProgress
 * @property {number} epoch epochs done
 * @property {number} step steps done of all
 * @property {number} steps of all
 * @property {number} steps_per_epoch
 * @property {number | null} loss mean since the last message
 * @property {number | null} accuracy since the last message
 * @property {number} images since the last message
 * @property {number} seconds since the last message
 * @property {EpochLine[]} lines new ones
 * @property {boolean} finished
 * @property {DeviceName} device what computes
 * @property {Tried[]} [tried] what was tried before a device was chosen, with the first message
 * @property {LayerSignal[]} [signals] what passes through the layers, where it was measured
 * @property {boolean} [recovered] whether the device was lost and the run goes on from its last state
 */

/**
 * What passes through a layer, forward and backward, for a few training photos.
 * @typedef {object} LayerSignal
 * @property {number} index number of the layer in the structure listing, from 1
 * @property {string} layer its path
 * @property {string} kind
 * @property {{ mean: number, deviation: number, zeros: number }} outputs over all pixels and channels
 * @property {number | null} gradient_norm of its kernel; none without one
 */

/**
 * Where in a photo a model sees a class; `pixels` are the photo as the model reads it, RGBA.
 * @typedef {object} Attention
 * @property {string[]} classes
 * @property {number[]} probabilities
 * @property {{ class: number, layer: string, height: number, width: number, values: number[] }} heat from 0
 *   to 1, row by row
 * @property {number} size rows and columns of the photo
 * @property {Uint8Array} pixels
 */

/**
 * Where a photo to try a model on comes from without a file.
 * @typedef {'held_back' | 'drawn'} SampleSource
 */

/**
 * A photo to try a model on: square, RGBA; its class is what its label says.
 * @typedef {{ name: string, class: string | null, size: number, pixels: Uint8Array }} TrialPhoto
 */

/**
 * What the report measured with a network: test accuracy, training time.
 * @typedef {{ model: string, accuracy: number, seconds: number }} Reported
 */

/**
 * A test photo that every network of an experiment answers; `picture` is a data URL.
 * @typedef {{ id: string, name: string, truth: number, picture: string }} Sample
 */

/**
 * One network of an experiment; `answers` are those on its samples.
 * @typedef {object} ExperimentRun
 * @property {string} model
 * @property {number} parameters
 * @property {number} flops
 * @property {number} accuracy
 * @property {number} seconds
 * @property {EpochLine[]} history
 * @property {Prediction[]} answers
 */

/** @typedef {{ classes: string[], samples: Sample[], runs: ExperimentRun[] }} Experiment */

/**
 * @typedef {object} ClassReport
 * @property {string} class
 * @property {number} support
 * @property {number} precision
 * @property {number} recall
 * @property {number} f1
 */

/**
 * Whether a photo shows any of the classes: the score is above 0 where it does not.
 * @typedef {{ score: number, none_of_these: boolean }} Outlier
 */

/**
 * @typedef {object} Prediction
 * @property {number} photo
 * @property {number} truth
 * @property {number} predicted
 * @property {number[]} probabilities
 * @property {Outlier | null} outlier
 */

/**
 * Answers by their highest probability, in bins of equal width from 0 to 1: how often each bin is right.
 * @typedef {object} Reliability
 * @property {number} expected_calibration_error
 * @property {{ count: number, confidence: number, accuracy: number }[]} bins
 */

/**
 * @typedef {object} Evaluation
 * @property {string[]} classes
 * @property {number} n
 * @property {number} accuracy
 * @property {number} loss
 * @property {number[][]} confusion
 * @property {ClassReport[]} per_class
 * @property {Reliability} reliability
 * @property {Reliability} uncalibrated the same before calibration
 * @property {number | null} none_of_these share of the photos that are called none of the classes; `null`
 *   where the model cannot tell
 * @property {Prediction[]} predictions
 * @property {number} seconds
 */

/** @typedef {{ classes: string[], text: string, size: number, parameters: number }} ModelSummary */

/**
 * A model that comes with the page, as `models/README.md` explains it.
 * @typedef {object} ShippedModel
 * @property {string} file
 * @property {string} card a page about it
 * @property {{ en: string, ko: string }} title
 * @property {number} accuracy on its test photos, 0 to 1
 * @property {number} test_photos
 * @property {string[]} classes
 * @property {number} input rows and columns of a photo
 * @property {number} bytes
 * @property {string} hash BLAKE3, hexadecimal
 */

/**
 * What an earlier visit left: files or drawn flowers, perhaps a run.
 * @typedef {{ files: number, drawn: boolean, run: { network: Network, epoch: number, epochs: number } | null
 *   }} Remembered
 */

/**
 * @typedef {{ network: Network, recipe: RecipeChoice, device: string, progress: TrainProgress }} RestoredRun
 */

/**
 * `failure` says why a run that was kept did not come back.
 * @typedef {{ library: LibrarySummary, run: RestoredRun | null, failure: EngineError | null }} Restored
 */

/**
 * @typedef {{ classes: string[], probabilities: number[], outlier: Outlier | null, milliseconds: number }}
 *   Answer
 */

/** @typedef {{ id: string, name: DeviceName, hardware: boolean }} Device */

/** A device that was tried for a few steps. @typedef {{ device: DeviceName, images_per_s: number }} Tried */

/** @typedef {{ devices: [DeviceName, DeviceName], photos: number, largest_difference: number }} Agreement */

/**
 * What the engine can do: its networks, the orders of actions that they can have, its devices, the report's
 * figures.
 * @typedef {{ presets: Preset[], actions: string[], devices: Device[], reported: Reported[] }} Hello
 */

/** Whether a run came to its end, or was stopped before. @typedef {{ finished: boolean }} Ended */

/**
 * What the speed test is to measure.
 * @typedef {{ model: string, batch: number, steps: number, task: string, device: string }} BenchOptions
 */

/**
 * Speed on a device; the keys are those of `floret bench --json`.
 * @typedef {object} BenchResult
 * @property {string} model
 * @property {number} batch
 * @property {number} steps
 * @property {DeviceName} device
 * @property {number} [train_images_per_s]
 * @property {number} [infer_images_per_s]
 * @property {number} [infer_ms_per_image]
 */

/**
 * A call: what it takes, what it gives, what it reports meanwhile.
 * @template Value, Done
 * @template [Progress=never]
 * @typedef {{ value: Value, done: Done, progress: Progress }} Call
 */

/**
 * A photo, and the model that is asked about it.
 * @typedef {{ file: File, model: ModelId }} Question
 */

/** @typedef {{ network: Network, recipe: RecipeChoice, device: string }} RunChoice */

/**
 * Every call.
 * @typedef {object} Calls
 * @property {Call<{ software: boolean, keep: boolean }, Hello & { build: string }>} hello
 * @property {Call<{ name: string, actions: string }, string>} presetText
 * @property {Call<{ text: string, size: number, classes: number }, Structure>} describe
 * @property {Call<{ files: Source[], size: number }, LibrarySummary, LoadProgress>} addFiles
 * @property {Call<{ per_class: number, seed: number, size: number }, LibrarySummary, LoadProgress>}
 *   drawFlowers
 * @property {Call<{}, LibrarySummary>} clearPhotos
 * @property {Call<{ photos: number[] } | { class: string, count: number }, Thumbnail[]>} thumbnails
 * @property {Call<{ source: SampleSource, number: number }, TrialPhoto>} sample the photo of that number,
 *   counted round
 * @property {Call<{ size: number }, LibrarySummary, LoadProgress>} fitPhotos
 * @property {Call<RunChoice & { origin: Origin }, Ended, TrainProgress>} train
 * @property {Call<{ recipe: RecipeChoice }, void>} beginExperiment
 * @property {Call<RunChoice, Ended, TrainProgress>} trainInExperiment by the experiment's recipe, on the
 *   split of its
 *   first run
 * @property {Call<{ model: string }, { report: Evaluation, experiment: Experiment }>} recordRun judges the
 *   run that has
 *   ended and adds it to the experiment
 * @property {Call<{ format: 'html' | 'md', language: string }, string>} experimentReport
 * @property {Call<{}, Ended, TrainProgress>} resume
 * @property {Call<{ device: string }, void>} useDevice moves the run, its state kept
 * @property {Call<{ model: ModelId }, Agreement>} agreement
 * @property {Call<{ request: number }, void>} cancel
 * @property {Call<{}, { done: boolean }>} calibrate
 * @property {Call<{ split: Split }, Evaluation>} evaluate
 * @property {Call<Question, Answer>} classify
 * @property {Call<Question & { class: number | null }, Attention>} attention to a class, or to the one that
 *   the photo is
 *   taken for
 * @property {Call<{ model: ModelId }, Uint8Array<ArrayBuffer>>} save
 * @property {Call<{ bytes: ArrayBuffer }, ModelSummary>} open
 * @property {Call<{ file: string, bytes: number, hash: string }, ModelSummary, CountProgress>} openShipped
 * @property {Call<{}, Remembered | null>} remembered
 * @property {Call<{ size: number }, Restored, LoadProgress>} restore
 * @property {Call<{ photos: boolean }, void>} forget
 * @property {Call<BenchOptions, BenchResult>} bench
 */

/** @typedef {keyof Calls} CallName */
