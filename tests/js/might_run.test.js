'use strict';
// Calls that run JavaScript only when an object has accessors, or is a proxy: what native code wrote before is there for it, and what it writes is there
// for native code afterwards, as around any call of a function.
const { test } = require('node:test');
const { compare } = require('./harness.js');

const WAYS = ['get', 'get named', 'get element', 'set', 'set named', 'has', 'delete', 'names', 'to string'];
const SIZES = [1, 100, 5000, 9000, 40_000, 130_000, 300_000, 2_000_000];

/** Calls `meets` for whatever is done to it. */
function makeProxy(meets) {
  const trap = (result) => () => {
    meets();
    return result;
  };
  // A string's way asks for more than one property: one trap is enough.
  return new Proxy({}, {
    get: (_target, name) => (name === Symbol.toPrimitive ? trap(() => 'text')() : trap(3)()),
    set: trap(true), has: trap(true), deleteProperty: trap(true), ownKeys: trap([]), getPrototypeOf: () => null,
  });
}

function makeAccessors(meets) {
  return {
    get met() { return meets(); }, set met(_value) { meets(); }, get 0() { return meets(); },
    toString() { return `${meets()}`; },
  };
}

/** JavaScript sees a byte, and adds 100 to it. */
function makeMeeting(buffer, at) {
  const seen = [];
  const meets = () => {
    seen.push(buffer[at]);
    buffer[at] += 100;
    return buffer[at];
  };
  return { seen, meets };
}

/** What both sides saw, and the byte in the end. */
function meet(addon, buffer, { at, times, way, make, shows }) {
  const { seen, meets } = makeMeeting(buffer, at);
  const object = make(meets);
  const native = shows ? addon.keepAndMeet(0, at, times, way, object, buffer) : addon.meet(0, at, times, way, object);
  return [native, seen, buffer[at]];
}

const makers = {
  'kept a while ago': (addon, size) => {
    const buffer = Buffer.alloc(size);
    addon.keep(0, buffer);
    return buffer;
  },
  external: (addon, size) => addon.create(0, size),
};

for (const [name, makeBuffer] of Object.entries(makers)) {
  // Calls in which nobody writes: what is done about a Buffer then is another thing after two of them, after a dozen, and after a hundred.
  for (const quiet of [0, 3, 30, 200]) {
    test(`${name}, ${quiet} calls later`, (t) => compare(t, 'kept', (addon) => SIZES.flatMap((size) => WAYS.map((way) => {
      const buffer = makeBuffer(addon, size);
      for (let i = 0; i < quiet; i++) addon.noop();
      return [makeAccessors, makeProxy].map((make) => meet(addon, buffer, { at: size >> 1, times: 3, way, make }));
    }))));
  }
}

test('an argument of the call', (t) => compare(t, 'kept', (addon) => SIZES.flatMap((size) => WAYS.map((way) => {
  const buffer = Buffer.alloc(size);
  return [0, 1].map(() => meet(addon, buffer, { at: 0, times: 20, way, make: makeAccessors, shows: true }));
}))));

// Others, none of which anybody writes, and many reads that nobody hears of.
test('late in a call, with others that are kept', (t) => compare(t, 'kept', (addon) => SIZES.map((size) => {
  for (let i = 1; i < 10; i++) addon.keep(i, Buffer.alloc(100 * i));
  const buffer = makers['kept a while ago'](addon, size);
  let calls = 0;
  const { seen, meets } = makeMeeting(buffer, 0);
  const late = () => (++calls > 50 ? meets() : 0);
  return [addon.meet(0, 0, 55, 'get named', { get met() { return late(); } }), seen];
})));

test('calls within calls', (t) => compare(t, 'kept', (addon) => SIZES.map((size) => {
  const buffer = makers['kept a while ago'](addon, size), seen = [];
  for (let i = 0; i < 20; i++) addon.noop();
  const object = {
    depth: 0,
    get met() {
      seen.push(buffer[0]);
      if (++object.depth < 10) seen.push(addon.meet(0, 0, 1, 'get named', object));
      buffer[0] += 10;
      return object.depth;
    },
  };
  return [addon.meet(0, 0, 2, 'get named', object), seen];
})));
