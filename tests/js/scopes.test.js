'use strict';
// Handle scopes.
const { attempt, cases } = require('./harness.js');

const values = () => [undefined, null, true, -0, 1.5, 'text', 'x'.repeat(300), 10n, Symbol('s'), {}, [1], () => 1, new Date(2), Buffer.from('b'), new Proxy({}, {})];

cases('scopes', {
  'empty scopes': ({ openAndClose }) => Array.from({ length: 100 }, () => openAndClose()),
  'a scope for each of 100,000 handles': ({ manyScopes }) => [0, 1, 1000, 100_000].map((count) => manyScopes(count)),
  '10,000 objects in one scope': ({ manyHandles }) => [0, 1, 1000, 10_000].map((count) => manyHandles(count)),
  'scopes inside each other': ({ nested }) => [0, 1, 2, 10, 100].map((depth) => nested(depth)),
  'what escapes': ({ escape }) => values().map((value) => {
    const result = escape(value);
    return [result, Object.is(result[0], value)];
  }),
  'what escapes, many times': ({ escape }) => Array.from({ length: 300 }, (_, i) => escape({ i })),
  'escape twice': ({ escapeTwice }) => [escapeTwice(), escapeTwice()],
  'escape through ten scopes': ({ escapeFar }) => [escapeFar(), escapeFar()],
  'a result from a scope that has just been closed': ({ fromClosed }) => [0, 1, 5].map((depth) => values().map((value) => {
    const result = fromClosed([value], depth);
    return [result, Object.is(result, value)];
  })),
  'a result that was made in a scope which has just been closed': ({ madeInClosed, acrossCall }) => (
    [madeInClosed(), acrossCall(madeInClosed), Array.from({ length: 2000 }, madeInClosed).every(([text, five]) => text === 'made inside' && five === 5)]
  ),
  'what is coerced in a scope to what it was': ({ coercedInScopes }) => (
    ['text', 'x'.repeat(300), {}, [1], () => 1, new Date(2), Buffer.from('b'), new Proxy({}, {}), 1.5, true, 10n].map((value) => (
      coercedInScopes(value).map((result) => [result, Object.is(result, value)])))
  ),
  'calls from inside scopes': ({ acrossCall }) => values().map((value) => {
    const result = attempt(() => acrossCall((argument) => [argument, value]));
    return [result, Object.is(result.value[1], value)];
  }),
  'a call from inside scopes that throws': ({ acrossCall }) => attempt(() => acrossCall(() => { throw new Error('inside'); })),
  'calls from inside scopes, nested': ({ acrossCall }) => {
    const down = (depth) => () => (depth === 0 ? { bottom: true } : { depth, inner: acrossCall(down(depth - 1)) });
    return acrossCall(down(40));
  },
  'calls from inside scopes that throw, nested': ({ acrossCall, escape }) => {
    const down = (depth) => () => {
      if (depth === 0) throw new RangeError('the bottom');
      try {
        return acrossCall(down(depth - 1));
      } finally {
        escape({ depth });
      }
    };
    return [attempt(() => acrossCall(down(30))), escape('still works'), acrossCall(down.bind(null, 0))];
  },
});
