'use strict';
// The options of load(), checked, in the form in which the agent and the host of an addon want them.
const { namedGroup, ownGroup } = require('./groups.js');
const { toReportOption } = require('./report.js');
const { NEVER } = require('./restart.js');
const thread = require('./thread.js');
const { invalidType, invalidValue } = require('./validate.js');

/** What a load may take unless it is told otherwise, ms. */
const LOAD_TIMEOUT = 30_000;
const MAX_MILLISECONDS = 2 ** 31 - 1;

function checkObject(value, name) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidType(name, 'of type object', value);
}

function checkKeys(value, name, keys) {
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) throw invalidValue(`${name}.${key}`, value[key], `is not an option of ${name === 'options' ? 'load()' : name}`);
  }
}

function toText(value, name) {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  if (value === '' || value.includes('\0')) throw invalidValue(name, value, 'must be a non-empty string without null bytes');
  return value;
}

function toInteger(value, name, least, most) {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!Number.isInteger(value) || value < least || value > most) throw invalidValue(name, value, `must be an integer from ${least} to ${most}`);
  return value;
}

/** Infinity stands for no limit, which is 0 to the agent. */
function toMilliseconds(value, name) {
  return value === Infinity ? 0 : toInteger(value, name, 1, MAX_MILLISECONDS);
}

function toTimeouts(value, name) {
  if (value === undefined) return { callTimeout: 0, loadTimeout: LOAD_TIMEOUT };
  if (typeof value !== 'object') {
    const milliseconds = toMilliseconds(value, name);
    return { callTimeout: milliseconds, loadTimeout: milliseconds };
  }
  checkObject(value, name);
  checkKeys(value, name, ['call', 'load']);
  const { call = Infinity, load = LOAD_TIMEOUT } = value;
  return { callTimeout: toMilliseconds(call, `${name}.call`), loadTimeout: toMilliseconds(load, `${name}.load`) };
}

function toSignal(value, name) {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw invalidType(name, 'an instance of AbortSignal', value);
}

const POLICIES = ['never', 'on-call', 'at-once'];

function toRestart(value, name) {
  if (value === undefined) return NEVER;
  const given = typeof value === 'object' ? value : { policy: value };
  checkObject(given, name);
  checkKeys(given, name, ['policy', 'backoff', 'max', 'init']);
  const { policy, backoff = {}, max = 10, init } = given;
  if (!POLICIES.includes(policy)) throw invalidValue(typeof value === 'object' ? `${name}.policy` : name, policy, `must be one of: ${POLICIES.map((each) => `'${each}'`).join(', ')}`);
  checkObject(backoff, `${name}.backoff`);
  checkKeys(backoff, `${name}.backoff`, ['initial', 'max', 'factor']);
  const { initial = 100, max: maximum = 10_000, factor = 2 } = backoff;
  if (typeof factor !== 'number') throw invalidType(`${name}.backoff.factor`, 'of type number', factor);
  if (!(factor >= 1 && factor <= 100)) throw invalidValue(`${name}.backoff.factor`, factor, 'must be from 1 to 100');
  if (init !== undefined && typeof init !== 'function') throw invalidType(`${name}.init`, 'of type function', init);
  return {
    policy,
    initial: toInteger(initial, `${name}.backoff.initial`, 0, MAX_MILLISECONDS),
    maximum: toInteger(maximum, `${name}.backoff.max`, 0, MAX_MILLISECONDS),
    factor,
    most: max === Infinity ? max : toInteger(max, `${name}.max`, 0, MAX_MILLISECONDS),
    init,
    given: true,
  };
}

/** Those that the program has, as they are now, and these; undefined takes one away. */
function toEnvironment(value, name) {
  if (value === undefined) return undefined;
  checkObject(value, name);
  const all = { ...process.env, ...value };
  for (const [key, text] of Object.entries(value)) {
    if (key === '' || key.includes('=') || key.includes('\0')) throw invalidValue(`${name}.${key}`, text, 'is no name of a variable');
    if (text !== undefined && typeof text !== 'string') throw invalidType(`${name}.${key}`, 'of type string', text);
    if (text?.includes('\0')) throw invalidValue(`${name}.${key}`, text, 'must be a string without null bytes');
  }
  return Object.entries(all).filter(([, text]) => text !== undefined).map(([key, text]) => `${key}=${text}`);
}

/** As enum nr_stream (launch.h) counts them. */
const STREAMS = ['inherit', 'ignore', 'pipe'];

function toStream(value, name, streams) {
  if (!streams.includes(value)) throw invalidValue(name, value, `must be one of: ${streams.map((each) => `'${each}'`).join(', ')}`);
  return STREAMS.indexOf(value);
}

/** One word is for stdout and stderr; the program's stdin is then the host's, unless that is to ignore it as well. */
function toStdio(value = 'inherit', name) {
  if (!Array.isArray(value)) {
    const output = toStream(value, name, STREAMS);
    return { stdin: value === 'ignore' ? output : 0, stdout: output, stderr: output };
  }
  if (value.length !== 3) throw invalidValue(name, value, 'must have three elements');
  const [stdin, stdout, stderr] = value;
  return {
    stdin: toStream(stdin, `${name}[0]`, ['inherit', 'ignore']), stdout: toStream(stdout, `${name}[1]`, STREAMS), stderr: toStream(stderr, `${name}[2]`, STREAMS),
  };
}

function toCommand(value, name) {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw invalidType(name, 'an instance of Array', value);
  if (value.length === 0) throw invalidValue(name, value, 'must have a command');
  return value.map((word, i) => {
    if (typeof word !== 'string') throw invalidType(`${name}[${i}]`, 'of type string', word);
    if (word.includes('\0') || (i === 0 && word === '')) throw invalidValue(`${name}[${i}]`, word, 'must be a string without null bytes');
    return word;
  });
}

const LIMITS = ['addressSpace', 'resident', 'cpuSeconds', 'processes', 'openFiles'];

function toLimits(value = {}, name) {
  checkObject(value, name);
  checkKeys(value, name, LIMITS);
  return Object.fromEntries(Object.entries(value).filter(([, limit]) => limit !== undefined)
    .map(([key, limit]) => [key, toInteger(limit, `${name}.${key}`, 1, Number.MAX_SAFE_INTEGER)]));
}

function toIdle(value, name) {
  return value === undefined || value === Infinity ? 0 : toInteger(value, name, 1, MAX_MILLISECONDS);
}

/** What is recycled has to come back. */
function withIdle(restart, idle, name) {
  if (idle === 0 || restart.policy !== 'never') return restart;
  if (restart.given) throw invalidValue(`${name}.idle`, idle, `needs another '${name}.restart' than 'never'`);
  return toRestart('on-call', `${name}.restart`);
}

function toBoolean(value = false, name) {
  if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
  return value;
}

/** True when nothing is said. */
function toTrust(value = true, name) {
  return toBoolean(value, name);
}

/** For each option: what becomes of it. */
const OPTIONS = {
  group: (value, name) => (value === undefined ? undefined : namedGroup(toText(value, name))),
  timeout: toTimeouts,
  signal: toSignal,
  restart: toRestart,
  idle: toIdle,
  limits: toLimits,
  stdio: toStdio,
  env: toEnvironment,
  hostWrapper: toCommand,
  callTimes: toBoolean,
  report: toReportOption,
  trusted: toTrust,
};

/**
 * {group, launch, signal, restart, idle}: `launch` is for the agent, the rest for the host's face. `name` is what errors call the whole.
 */
function toOptions(options, name = 'options') {
  checkObject(options, name);
  checkKeys(options, name, Object.keys(OPTIONS));
  const checked = {};
  for (const [key, check] of Object.entries(OPTIONS)) checked[key] = check(options[key], `${name}.${key}`);
  const { group = ownGroup(++thread.loads), timeout, limits, stdio, env, hostWrapper: wrapper, signal, idle, callTimes, report, trusted } = checked;
  const restart = withIdle(checked.restart, idle, name);
  const launch = {
    ...timeout, ...limits, ...stdio, env, wrapper, restarts: restart.policy === 'never' ? 0 : 1, times: callTimes ? 1 : 0, apart: trusted ? 0 : 1,
  };
  return { group, signal, restart, idle, callTimes, report, launch };
}

module.exports = { toOptions };
