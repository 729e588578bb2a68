'use strict';
// Errors that the agent does not make.

/** As the DOM has it. */
function abortError(signal, file) {
  const error = new Error(`The load of ${file} was aborted`, { cause: signal.reason });
  Object.defineProperty(error, 'name', { value: 'AbortError', writable: true, configurable: true });
  return Object.assign(error, { code: 'ABORT_ERR', addon: file });
}

module.exports = { abortError };
