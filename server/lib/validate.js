'use strict';
// Argument errors in Node's words and form.
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { inspect } = require('node:util');

function inspectShort(value) {
  const text = inspect(value);
  return text.length > 128 ? `${text.slice(0, 128)}...` : text;
}

function describe(value) {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === 'function') return value.name === '' ? 'function ' : `function ${value.name}`;
  if (typeof value === 'object') {
    return value.constructor?.name ? `an instance of ${value.constructor.name}` : inspect(value, { depth: -1 });
  }
  const text = inspect(value, { colors: false });
  return `type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`;
}

// Node's stacks begin with the code too, while the name stays that of the class.
function typeError(code, message) {
  const error = new TypeError(message);
  error.code = code;
  Object.defineProperty(error, 'name', { value: `TypeError [${code}]`, configurable: true });
  Error.captureStackTrace(error);
  void error.stack;
  delete error.name;
  return error;
}

function kindOf(name) {
  return name.includes('.') ? 'property' : 'argument';
}

/** `expected`: "of type string", "an instance of URL" … */
function invalidType(name, expected, value) {
  return typeError('ERR_INVALID_ARG_TYPE', `The "${name}" ${kindOf(name)} must be ${expected}. Received ${describe(value)}`);
}

function invalidValue(name, value, reason) {
  return typeError('ERR_INVALID_ARG_VALUE', `The ${kindOf(name)} '${name}' ${reason}. Received ${inspectShort(value)}`);
}

// As Node tells them: not by their class, since every realm has its own.
function isUrl(value) {
  return typeof value === 'object' && value !== null && typeof value.href === 'string' && typeof value.protocol === 'string';
}

function toPath(file) {
  if (isUrl(file)) return fileURLToPath(file);
  if (typeof file !== 'string') throw invalidType('file', 'of type string or an instance of URL', file);
  if (file === '' || file.includes('\0')) throw invalidValue('file', file, 'must be a non-empty string without null bytes');
  return file.startsWith('file:') ? fileURLToPath(file) : path.resolve(file);
}

module.exports = { invalidType, invalidValue, toPath };
