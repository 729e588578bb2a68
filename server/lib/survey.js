'use strict';
// What an addon exports: its functions and plain objects, by the path from the exports. That is how those of a new host are found to take the place
// of the old ones.

const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { apply, construct: reflectConstruct, ownKeys, setPrototypeOf } = Reflect;
const functionToString = Function.prototype.toString;

/** An addon that exports a tree larger than this has its deeper parts replaced, not kept. */
const MOST = 10_000;

/** What every function has. */
const OF_FUNCTIONS = new Set(['length', 'name', 'arguments', 'caller', 'prototype']);

/** A function of Node-API's, classes among them: native, with a prototype that can be set, which V8's own and bound ones have not. */
function isNative(value) {
  return typeof value === 'function' && getOwnPropertyDescriptor(value, 'prototype')?.writable === true
    && apply(functionToString, value, []).endsWith('{ [native code] }');
}

function isPlain(value) {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Path → {value, keys}: `keys` maps the own data properties of a value that is walked into to what they were. */
function survey(exports) {
  const found = new Map();
  const seen = new Set();
  const rest = [['', exports]];
  for (let item = rest.shift(); item !== undefined && found.size < MOST; item = rest.shift()) {
    const [path, value] = item;
    if (seen.has(value) || !(isNative(value) || isPlain(value))) continue;
    seen.add(value);
    const keys = new Map();
    found.set(path, { value, keys });
    for (const key of ownKeys(value)) {
      const descriptor = getOwnPropertyDescriptor(value, key);
      if (!('value' in descriptor) || (typeof value === 'function' && OF_FUNCTIONS.has(key))) continue;
      keys.set(key, descriptor.value);
      rest.push([`${path}.${String(key)}`, descriptor.value]);
    }
  }
  return found;
}

/** A prototype of a class → {latest}: the one that took its place. One for all generations, so that those in between can be collected. */
const places = new WeakMap();

/** Instances that are made from now on are those of the new class, also where the old one is called for them; `instanceof` holds for them. */
function succeedClass(old, next) {
  const before = old.prototype;
  const now = next.prototype;
  if (typeof before !== 'object' || before === null || typeof now !== 'object' || now === null || before === now) return;
  const place = places.get(before) ?? { latest: before };
  place.latest = now;
  places.set(before, place).set(now, place);
  old.prototype = now;
}

/** What the agent calls for `new`, when a class of a dead host is called or extended. Prototypes of JavaScript's subclasses hang on the old one. */
function construct(next, newTarget, ...args) {
  for (let object = newTarget.prototype; typeof object === 'object' && object !== null; object = getPrototypeOf(object)) {
    const latest = places.get(getPrototypeOf(object))?.latest;
    if (latest !== undefined && latest !== getPrototypeOf(object)) setPrototypeOf(object, latest);
  }
  return reflectConstruct(next, args, newTarget);
}

/** What the program has put there itself stays; where that cannot be changed, the old value does too. */
function update(object, key, before, value) {
  const descriptor = getOwnPropertyDescriptor(object, key);
  if (descriptor === undefined ? before !== undefined : !('value' in descriptor) || !Object.is(descriptor.value, before)) return;
  Reflect.defineProperty(object, key, { enumerable: true, configurable: true, writable: true, ...descriptor, value });
}

/**
 * Puts what a new host exports in the place of what an old one did (`old`, `next`: of survey()): functions are called instead, plain objects are updated, everything
 * else is replaced. Returns the survey of what is there now.
 */
function merge(old, next, succeed) {
  const result = new Map(next);
  const isKept = (path) => old.has(path) && next.has(path) && typeof old.get(path).value === typeof next.get(path).value;
  for (const [path, { value, keys }] of next) {
    if (!isKept(path)) continue;
    const before = old.get(path);
    if (typeof value === 'function') {
      succeed(before.value, value);
      succeedClass(before.value, value);
    }
    const now = new Map(before.keys);
    for (const [key, replacement] of keys) {
      if (isKept(`${path}.${String(key)}`)) continue;
      update(before.value, key, before.keys.get(key), replacement);
      now.set(key, replacement);
    }
    result.set(path, { value: before.value, keys: now });
  }
  return result;
}

module.exports = { construct, merge, survey };
