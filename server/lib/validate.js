'use strict';
// Argument errors as Node words them.

function describe(value) {
  if (value === null || value === undefined) return `Received ${value}`;
  if (typeof value === 'function') return `Received function ${value.name}`;
  if (typeof value === 'object') return `Received an instance of ${value.constructor?.name ?? 'Object'}`;
  return `Received type ${typeof value} (${typeof value === 'string' ? `'${value}'` : String(value)})`;
}

function invalidType(name, expected, value) {
  const kind = name.includes('.') ? 'property' : 'argument';
  return Object.assign(new TypeError(`The "${name}" ${kind} must be ${expected}. ${describe(value)}`), { code: 'ERR_INVALID_ARG_TYPE' });
}

function invalidValue(name, value, reason) {
  const kind = name.includes('.') ? 'property' : 'argument';
  return Object.assign(new TypeError(`The ${kind} '${name}' ${reason}. ${describe(value)}`), { code: 'ERR_INVALID_ARG_VALUE' });
}

module.exports = { invalidType, invalidValue };
