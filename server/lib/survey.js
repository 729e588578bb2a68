'use strict';
// What an addon exports: its functions and plain objects, by the path from the exports. That is how those of a new host are found to take the place
// of the old ones.

const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { apply, construct: reflectConstruct, defineProperty, ownKeys, setPrototypeOf } = Reflect;
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

/** Path → {value, keys, face}: `keys` maps the own data properties of a value that is walked into to what they were, `face` is what a class gives its instances. */
function survey(exports) {
  const found = new Map();
  const seen = new Set();
  const rest = [['', exports]];
  for (let item = rest.shift(); item !== undefined && found.size < MOST; item = rest.shift()) {
    const [path, value] = item;
    if (seen.has(value) || !(isNative(value) || isPlain(value))) continue;
    seen.add(value);
    const keys = new Map();
    found.set(path, { value, keys, face: faceOf(value) });
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

function isObject(value) {
  return typeof value === 'object' && value !== null;
}

function propertiesOf(object) {
  return new Map(ownKeys(object).map((key) => [key, getOwnPropertyDescriptor(object, key)]));
}

/** What the addon has made of a class's prototype. undefined: it is no class. */
function faceOf(value) {
  if (typeof value !== 'function' || !isObject(value.prototype)) return undefined;
  const { prototype } = value;
  return { prototype, own: propertiesOf(prototype), above: getPrototypeOf(prototype) };
}

/** A method of a class. V8 refuses to call it for objects of the classes before: those of JavaScript's subclasses come to it, since they share a prototype with newer ones. */
function guarded(method, gone) {
  if (typeof method !== 'function') return method;
  const { name, length } = method;
  const guard = {
    method(...args) {
      try {
        return apply(method, this, args);
      } catch (error) {
        throw gone(this) ?? error;
      }
    },
  }.method;
  defineProperty(guard, 'name', { value: name, configurable: true });
  defineProperty(guard, 'length', { value: length, configurable: true });
  return guard;
}

function guardedProperty(descriptor, gone) {
  if ('value' in descriptor) return { ...descriptor, value: guarded(descriptor.value, gone) };
  return { ...descriptor, get: guarded(descriptor.get, gone), set: guarded(descriptor.set, gone) };
}

function isSame(a, b) {
  return a !== undefined && b !== undefined && Object.is(a.value, b.value) && a.get === b.get && a.set === b.set;
}

/** In the place of the new class's prototype one with methods that are guarded. */
function makeFace(constructor, now, gone) {
  const above = getPrototypeOf(now);
  const prototype = Object.create(above);
  for (const [key, descriptor] of propertiesOf(now)) {
    defineProperty(prototype, key, key === 'constructor' ? { ...descriptor, value: constructor } : guardedProperty(descriptor, gone));
  }
  return { prototype, own: propertiesOf(prototype), above };
}

/** What the program has put on the old one, or taken from it, or above it. */
function carryOver(old, next) {
  for (const key of new Set([...old.own.keys(), ...ownKeys(old.prototype)])) {
    const descriptor = getOwnPropertyDescriptor(old.prototype, key);
    if (isSame(descriptor, old.own.get(key))) continue;
    if (descriptor === undefined) Reflect.deleteProperty(next.prototype, key);
    else defineProperty(next.prototype, key, descriptor);
  }
  const above = getPrototypeOf(old.prototype);
  if (above !== old.above) setPrototypeOf(next.prototype, above);
}

/**
 * Instances that are made from now on are those of the new class, also where the old one is called for them; `instanceof` holds for them. Returns what is the face of both then.
 */
function succeedClass(old, face, next, gone) {
  const now = next.prototype;
  if (face === undefined || face.prototype !== old.prototype || !isObject(now) || face.prototype === now) return face;
  if (ownKeys(now).every((key) => key === 'constructor')) { // no class: nothing in it is of a process
    next.prototype = face.prototype;
    return face;
  }
  const made = makeFace(old, now, gone);
  carryOver(face, made);
  const place = places.get(face.prototype) ?? {};
  place.latest = made.prototype;
  for (const prototype of [face.prototype, now, made.prototype]) places.set(prototype, place);
  old.prototype = made.prototype;
  next.prototype = made.prototype;
  return made;
}

/** A class that extends another one of the addon's. */
function rebase(face) {
  if (face === undefined) return;
  const above = getPrototypeOf(face.prototype);
  const latest = places.get(above)?.latest;
  if (latest === undefined || latest === above) return;
  if (face.above === above) face.above = latest;
  setPrototypeOf(face.prototype, latest);
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
 * else is replaced. Returns the survey of what is there now. `succeed`, `gone`: the agent's.
 */
function merge(old, next, { succeed, gone }) {
  const result = new Map(next);
  const isKept = (path) => old.has(path) && next.has(path) && typeof old.get(path).value === typeof next.get(path).value;
  for (const [path, { value, keys }] of next) {
    if (!isKept(path)) continue;
    const before = old.get(path);
    let face;
    if (typeof value === 'function') {
      succeed(before.value, value);
      face = succeedClass(before.value, before.face, value, gone);
    }
    const now = new Map(before.keys);
    for (const [key, replacement] of keys) {
      if (isKept(`${path}.${String(key)}`)) continue;
      update(before.value, key, before.keys.get(key), replacement);
      now.set(key, replacement);
    }
    result.set(path, { value: before.value, keys: now, face });
  }
  for (const { face } of result.values()) rebase(face);
  return result;
}

module.exports = { construct, merge, survey };
