/** What was thrown, as the page is told of it. */

/** @typedef {import('./protocol.js').EngineError} EngineError */

/** @param {unknown} failure @returns {EngineError} */
export function errorOf(failure) {
  if (isEngineError(failure)) return failure;
  // A trap leaves the engine in an unknown state; the page replaces this worker.
  const crashed = failure instanceof WebAssembly.RuntimeError;
  return { code: crashed ? 'crashed' : 'page', message: messageOf(failure) };
}

/** @param {unknown} failure @returns {failure is EngineError} */
function isEngineError(failure) {
  return (
    typeof failure === 'object' && failure !== null && 'code' in failure && typeof failure.code === 'string'
  );
}

/** @param {unknown} failure */
export function messageOf(failure) {
  return failure instanceof Error ? failure.message : String(failure);
}
