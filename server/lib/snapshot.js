'use strict';
// What an object holds, read at once for native code that reads one property after the other: only where nobody can notice, neither a getter nor a proxy. The caller has made sure that
// Object.prototype and Array.prototype are as they were made, so what is built here is plain as well.
const { isProxy } = require('node:util').types;

const { getOwnPropertyDescriptor, getOwnPropertyNames, getPrototypeOf, hasOwn } = Object;
const { isArray } = Array;
const { isView } = ArrayBuffer;
const objects = Object.prototype, arrays = Array.prototype;
const variables = process.env;

/** NR_SNAPSHOT_MAX (wire/protocol.h). */
const MOST = 512;
/** The values as they travel (wire/value.h), in two halves. Of one that takes a handle only that: it is in the list that is returned. */
const snapshotValues = new Float64Array(MOST), halves = new Uint32Array(snapshotValues.buffer);
const SPECIAL = 0xfff80000, UNDEFINED = 1, NULL = 2, FALSE = 3, TRUE = 4, NAN = 0x7ff80000, OBJECT = 0xfffb0000;

function note(list, place, value) {
  let high = SPECIAL, low = 0;
  if (typeof value === 'number') {
    snapshotValues[place] = value;
    if (value === value) return; // eslint-disable-line no-self-compare
    high = NAN;
  } else if (value === true || value === false) {
    low = value ? TRUE : FALSE;
  } else if (value === undefined || value === null) {
    low = value === null ? NULL : UNDEFINED;
  } else {
    high = OBJECT;
    list[list.length] = value;
  }
  halves[2 * place] = low;
  halves[2 * place + 1] = high;
}

/** The value of a property, in an object for itself; undefined: it has to be asked for. V8 makes the text of `stack` when it is first read, with functions of the program. */
function valueOf(object, name) {
  if (name === 'stack') return undefined;
  const descriptor = getOwnPropertyDescriptor(object, name);
  return descriptor !== undefined && hasOwn(descriptor, 'value') ? descriptor : undefined;
}

/** The elements from `first` on, up to a hole or a getter: [length, how many are noted, ...those that take a handle]. */
function ofArray(array, room, first) {
  if (!isArray(array) || getPrototypeOf(array) !== arrays) return undefined;
  const { length } = array;
  const found = [length, 0];
  let count = 0;
  for (let i = first; i < length && count < room; i++) {
    const element = valueOf(array, i);
    if (element === undefined) break;
    note(found, count++, element.value);
  }
  found[1] = count;
  return found;
}

/** Of this world, where what a property is can be found out unnoticed: the global object of another context asks the object that it was made from, which may be a proxy. */
function isOurs(prototype) {
  for (let at = prototype; at !== null && !isProxy(at); at = getPrototypeOf(at)) if (at === objects) return true;
  return prototype === null;
}

/**
 * [how many there are, how many of them are noted, is that all, names, ...those that take a handle]; the names of what is noted first, a NUL behind each. Or only how many there are, when
 * that is more than `room`. Of a view each byte would be a property, and the environment's variables native code may change.
 */
function ofObject(object, room) {
  const prototype = getPrototypeOf(object);
  if (isArray(object) || isView(object) || object === variables || !isOurs(prototype)) return undefined;
  const names = getOwnPropertyNames(object);
  const { length } = names;
  if (length > room) return length;
  const found = [length, 0, prototype === objects || prototype === null, ''];
  let known = '', unknown = '', count = 0;
  for (let i = 0; i < length; i++) {
    const name = names[i];
    const property = valueOf(object, name);
    if (property === undefined) {
      unknown += `${name}\0`;
    } else {
      known += `${name}\0`;
      note(found, count++, property.value);
    }
  }
  found[1] = count;
  found[3] = known + unknown;
  return found;
}

/** Of an object its properties; with `first` of an array its elements. undefined: it cannot be done unnoticed. At most MOST of them. */
function snapshot(object, room, first) {
  if (isProxy(object)) return undefined;
  return first === undefined ? ofObject(object, room) : ofArray(object, room, first);
}

module.exports = { snapshot, snapshotValues };
