'use strict';
// Errors: made, thrown, caught, left pending.
const { attempt, cases } = require('./harness.js');

const values = () => [
  undefined, null, true, false, 0, -0, NaN, 1.5, 'text', '', '\ud83d', 10n, Symbol('s'), {}, [], () => 1, new Error('e'), new TypeError('t', { cause: 'c' }),
  Object.assign(new RangeError('r'), { code: 'CODE', extra: [1] }), new AggregateError([new Error('inner')], 'many'), class MyError extends Error {}, new (class Sub extends SyntaxError {})('sub'),
  { name: 'Error', message: 'no error' }, Object.create(Error.prototype), new Proxy(new Error('p'), {}), new DOMException('d', 'AbortError'),
];
const texts = [undefined, '', 'a message', 'a\u20ac\ud83d\ude00', 'x'.repeat(300), 'line\nline'];
const codes = [undefined, '', 'ERR_CODE', '\u20ac', 'x'.repeat(300)];

cases('errors', {
  'throw anything': ({ throwValue }) => values().map((value) => {
    const result = attempt(() => throwValue(value));
    return [result, Object.is(result.thrown, value)];
  }),
  'throw, and return what is no value': ({ throwAndReturn }) => [0, 1, 2, 3, 4, 5, 6].map((what) => attempt(() => throwAndReturn(what))),
  'throw errors of each kind': ({ throwError }) => [0, 1, 2, 3].flatMap((kind) => codes.flatMap((code) => texts.slice(1).map((text) => attempt(() => throwError(kind, code, text))))),
  'throw an error without a message': ({ throwError }) => [0, 1, 2, 3].map((kind) => attempt(() => throwError(kind, undefined, undefined))),
  'create errors of each kind': ({ createError }) => [0, 1, 2, 3].flatMap((kind) => codes.flatMap((code) => texts.map((text) => createError(kind, code, text)))),
  'create errors with odd codes and messages': ({ createError }) => values().flatMap((value) => [createError(0, value, 'message'), createError(1, 'CODE', value)]),
  'created errors in instanceof': ({ createError }) => [Error, TypeError, RangeError, SyntaxError].map((Class, kind) => createError(kind, 'C', 'm').value instanceof Class),
  'stacks of created errors': ({ createError }) => createError(1, undefined, 'with a stack').value.stack.split('\n')[0],
  'is_error': ({ isError }) => values().map((value) => isError(value)),
  'the last error': ({ lastError }) => lastError(),
  'throw, look, take': ({ throwAndTake }) => values().map((value) => {
    const result = throwAndTake(value);
    return [result, Object.is(result.first, value)];
  }),
  'what each call does while an exception is pending': ({ pending }) => [pending(new Error('pending'), {}), pending('a string', { name: 1, n: 2 })],
  'the same with an object that would notice': ({ pending }) => {
    const log = [];
    const trap = (name) => (...args) => { log.push(name); return Reflect[name](...args); };
    const handler = Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((name) => [name, trap(name)]));
    return [pending(new Error('pending'), new Proxy({ [Symbol.toPrimitive]: () => { log.push('coerced'); return 1; } }, handler)), log];
  },
  'errors whose properties throw': ({ throwAndTake, throwValue, isError }) => {
    const odd = new Error('odd');
    Object.defineProperty(odd, 'message', { get() { throw new Error('read'); } });
    const result = attempt(() => throwValue(odd));
    return [result.thrown === odd, throwAndTake(odd).first === odd, isError(odd)];
  },
  'in a finally, in a promise': async ({ throwError }) => {
    let cleaned = false;
    try {
      throwError(1, 'A', 'first');
    } catch (error) {
      return [error, await Promise.resolve().then(() => throwError(2, 'B', 'second')).catch((later) => later), cleaned];
    } finally {
      cleaned = true;
    }
    return 'nothing was thrown';
  },
  'thousands of throws': ({ throwError }) => {
    let caught = 0;
    for (let i = 0; i < 2000; i++) {
      try {
        throwError(i % 4, 'C', `number ${i}`);
      } catch (error) {
        if (error.message === `number ${i}` && error.code === 'C') caught++;
      }
    }
    return caught;
  },
});
