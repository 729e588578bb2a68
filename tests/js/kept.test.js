'use strict';
// Buffers whose address native code keeps beyond the call in which it asked for it, with a reference to hold them.
const { test } = require('node:test');
const { compare } = require('./harness.js');

const runs = {
  'native code reads what JavaScript wrote in between': (addon) => {
    const buffer = Buffer.alloc(100, 1);
    addon.keep(buffer);
    const reads = [addon.readKept()];
    buffer.fill(2);
    reads.push(addon.readKept());
    buffer[50] = 3;
    reads.push(addon.readKept());
    addon.releaseKept();
    return reads;
  },
  'JavaScript reads what native code wrote later': (addon) => {
    const buffer = Buffer.alloc(100, 1);
    addon.keep(buffer);
    addon.writeKept(7);
    const seen = [buffer.toString('hex')];
    buffer[3] = 9;
    addon.writeKept(8);
    seen.push(buffer.toString('hex'));
    addon.releaseKept();
    return seen;
  },
  'both sides write, each its own bytes': (addon) => {
    const whole = Buffer.alloc(200);
    addon.keep(whole.subarray(50, 150));
    whole.fill(1, 0, 50);
    addon.writeKept(2);
    whole.fill(3, 150);
    whole[60] = 4;
    const read = addon.readKept();
    addon.releaseKept();
    return [whole.toString('hex'), read];
  },
  // Asking again is all that it takes.
  'asked for again in each call': (addon) => {
    const buffer = Buffer.alloc(1000, 1);
    const sums = [];
    for (let i = 0; i < 20; i++) {
      addon.fill(buffer.subarray(i * 10, i * 10 + 5), i);
      buffer[i * 50] = 200;
      sums.push(addon.sum(buffer), addon.bufferInfo(buffer.subarray(i, i + 40)).bytes);
    }
    return [sums, buffer.toString('hex')];
  },
  'the address is stable while the Buffer lives': (addon) => {
    const buffer = Buffer.alloc(5000, 1);
    return [addon.stable(buffer), addon.distance(buffer.subarray(100), buffer.subarray(350)), addon.distance(buffer.subarray(1, 2), buffer)];
  },
};

for (const [name, run] of Object.entries(runs)) test(name, (t) => compare(t, 'buffers', run));
