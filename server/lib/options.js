'use strict';
// The options of load(), checked, in the form in which the agent and the host of an addon want them.
const { namedGroup, ownGroup } = require('./groups.js');
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
  if (value === undefined) return { ...NEVER };
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
  };
}

/** For each option: what becomes of it. */
const OPTIONS = {
  group: (value, name) => (value === undefined ? undefined : namedGroup(toText(value, name))),
  timeout: toTimeouts,
  signal: toSignal,
  restart: toRestart,
};

/**
 * {group, launch, signal}: `launch` is for the agent, the rest for the host's face. `name` is what errors call the whole.
 */
function toOptions(options, name = 'options') {
  checkObject(options, name);
  checkKeys(options, name, Object.keys(OPTIONS));
  const checked = {};
  for (const [key, check] of Object.entries(OPTIONS)) checked[key] = check(options[key], `${name}.${key}`);
  const { group = ownGroup(++thread.loads), timeout, ...rest } = checked;
  return { group, launch: { ...timeout, restarts: rest.restart.policy === 'never' ? 0 : 1 }, ...rest };
}

module.exports = { toOptions };
