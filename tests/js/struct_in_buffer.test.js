'use strict';
// State of an addon, with a live handle of libuv's, in a Buffer that JavaScript made and both sides write to.
const { cases } = require('./harness.js');

/** The timer ticks until `most`, which JavaScript writes into the Buffer, is reached; what it saw of the count at each. */
function run(addon, buffer, most) {
  return new Promise((resolve) => {
    const seen = [];
    buffer.writeUInt32LE(2 ** 31, 4);
    addon.start(buffer, (what) => {
      seen.push([what, buffer.readUInt32LE(0)]);
      if (seen.length === 2) buffer.writeUInt32LE(most, 4);
      if (what === 'closed') resolve(seen);
    });
  });
}

cases('struct_in_buffer', {
  'of its own': (addon) => run(addon, Buffer.alloc(addon.size()), 6),
  'in a large one': (addon) => run(addon, Buffer.alloc(300_000).subarray(100_008), 6),
  'several in one': async (addon) => {
    const whole = Buffer.alloc(4096);
    const step = Math.ceil(addon.size() / 64) * 64;
    return Promise.all([0, 1, 2, 3].map((i) => run(addon, whole.subarray(i * step, (i + 1) * step), 4 + i)));
  },
  // Far more is kept than is compared each time; a reference tells that this one is in use.
  'among many others': async (addon) => {
    const others = Array.from({ length: 300 }, () => Buffer.alloc(20_000));
    const done = run(addon, Buffer.alloc(addon.size()), 8);
    const names = others.map((other) => other.length);
    return [await done, names.length];
  },
});
