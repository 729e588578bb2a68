'use strict';
// Errors that the agent does not make, or not all of.
const { offerReport, onDeath } = require('./report.js');

/** As the DOM has it. */
function abortError(signal, file) {
  const error = new Error(`The load of ${file} was aborted`, { cause: signal.reason });
  Object.defineProperty(error, 'name', { value: 'AbortError', writable: true, configurable: true });
  return offerReport(Object.assign(error, { code: 'ABORT_ERR', addon: file }));
}

/** There is nothing to start: `file` is missing. */
function notBuilt(file) {
  const error = new Error(`napi-remote is not built: ${file} is missing (build it with \`cmake --preset release && cmake --build build/release\`)`);
  return Object.assign(error, { code: 'ERR_NAPI_REMOTE_LAUNCH' });
}

const LIMITS = ['addressSpace', 'resident', 'cpuSeconds', 'processes', 'openFiles'];

/** What was tried, as its report tells it. `launch`: of options.js, where 0 is for no timeout. */
function launchOf({ wrapper = [], callTimeout, loadTimeout, ...launch }, hostPath) {
  return {
    command: [...wrapper, hostPath],
    timeout: { call: callTimeout || null, load: loadTimeout || null },
    limits: Object.fromEntries(LIMITS.filter((limit) => launch[limit] !== undefined).map((limit) => [limit, launch[limit]])),
  };
}

/** An error that comes before there is a host for the addon gets its report, which those of hosts have. */
function told(error, file, { group, launch }, hostPath) {
  const isLaunch = error.code === 'ERR_NAPI_REMOTE_LAUNCH';
  if ((isLaunch || error.code === 'ERR_NAPI_REMOTE_UNSUPPORTED') && !Object.hasOwn(error, 'report')) {
    error.addon ??= file;
    offerReport(error, isLaunch ? launchOf(launch, hostPath) : undefined);
    if (isLaunch) onDeath(error, group);
  }
  return error;
}

module.exports = { abortError, notBuilt, told };
