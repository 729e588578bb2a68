'use strict';
// Buffers over the addon's own memory: the bytes, the finalizers, and what makes them different from others.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const { attempt, compare, turn } = require('./harness.js');
const { run } = require('./support/child.js');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');
const TURNS = 2000;
const SIZES = [0, 1, 8, 63, 64, 65, 4096, 100_000, 200_000, 3_000_001];

function cases(runs) {
  for (const [name, body] of Object.entries(runs)) test(name, (t) => compare(t, 'external_memory', body));
}

cases({
  'buffers': ({ buffer }) => SIZES.map((size) => buffer(size)),
  'array buffers': ({ arraybuffer }) => SIZES.map((size) => arraybuffer(size)),
  'an empty one at NULL': ({ nowhere }) => nowhere(),
  'without finalizer': ({ constant }) => constant(),
  'around calls': ({ around }) => {
    const seen = [];
    const statuses = around((bytes) => {
      seen.push(bytes.toString('hex'));
      bytes[10 + seen.length - 1] = 100 + seen.length;
    });
    return [seen, statuses];
  },
  'passed back, the memory is the same': ({ buffer, arraybuffer, inspect }) => SIZES.filter((size) => size > 0).flatMap((size) => {
    const { value } = buffer(size);
    const first = inspect(value);
    value[size - 1] ^= 0x55;
    const rest = [inspect(value), inspect(value.subarray(size >> 1))];
    return [first, rest, inspect(new Uint8Array(arraybuffer(size).value))];
  }),
  'cannot be transferred': ({ buffer }) => [attempt(() => structuredClone(buffer(10).value, { transfer: [buffer(10).value.buffer] }).length)],
  'moved to another ArrayBuffer, where there is a way, and the first one collected': ({ buffer, fromConstant, common }) => {
    const move = (bytes) => (bytes.transfer === undefined ? bytes : bytes.transfer());
    const seen = [];
    for (let i = 0; i < 12; i++) {
      const all = [100, 5000, 3_000_001].map((size) => move(buffer(size).value.buffer));
      all.push(move(fromConstant()[0].buffer));
      gc();
      for (let k = 0; k < 70; k++) common(0);
      const others = [100, 5000, 3_000_001].map((size) => buffer(size).value[1]);
      seen.push(others, all.map((bytes) => [...new Uint8Array(bytes, 0, 35)]));
    }
    return seen;
  },
  'moved by a stream of bytes, and the first one collected': async ({ buffer, fromConstant, common }) => {
    const moved = [];
    const stream = new ReadableStream({ type: 'bytes', start: (controller) => moved.push(controller) });
    const [controller] = moved.splice(0);
    const reader = stream.getReader();
    const seen = [];
    for (let i = 0; i < 6; i++) {
      for (const make of [() => buffer(100).value, () => buffer(5000).value, () => buffer(3_000_001).value, () => fromConstant()[0]]) {
        controller.enqueue(make());
        moved.push((await reader.read()).value);
      }
      gc();
      for (let k = 0; k < 70; k++) common(0);
      const others = [100, 5000, 3_000_001].map((size) => buffer(size).value[1]);
      seen.push(others, moved.map((bytes) => Buffer.from(bytes.subarray(0, 35)).toString('hex')));
    }
    return seen;
  },
  'can be copied and cut': ({ buffer }) => {
    const { value } = buffer(100);
    return [value.subarray(10, 20), Buffer.from(value), value.slice(90), Buffer.concat([value, value]), value.buffer.slice(5, 9)];
  },
  'of a gigabyte, most of which is no memory': ({ nominal }) => {
    const { value } = nominal(2 ** 30);
    const { length } = value;
    return [length, [0, 4095, length / 2, length - 1].map((index) => value[index])];
  },
  'of a gigabyte, asked for as a whole': ({ nominal, ask, peek }) => {
    const { value } = nominal(2 ** 30);
    const at = [0, 4095, 2 ** 29, 2 ** 30 - 1];
    return at.map((offset, i) => {
      value[offset] = 30 + i;
      return [ask(value), peek(offset), at.map((other) => value[other])];
    });
  },
  'of a gigabyte, of which more and more becomes memory': ({ nominal, appear, peek }) => {
    const { value } = nominal(2 ** 30);
    const at = [2 ** 20, 2 ** 24 + 5000, 2 ** 24 + 9000, 2 ** 29 - 4096];
    return at.map((offset, i) => {
      appear(offset, 10 + i);
      const seen = value[offset];
      value[offset] = 20 + i;
      value[0] = i;
      return [seen, peek(offset), peek(offset + 1), peek(0), at.map((other) => (other <= offset ? value[other] : 0))];
    });
  },
  'over parts of the same memory': ({ part, poke }) => {
    const parts = [[0, 4 << 20], [8192, 2 << 20], [100, 500_000], [499_000, 1 << 20], [500_000, 200_000], [65_536, 262_144]];
    const seen = [];
    const made = [];
    for (const [i, [offset, length]] of parts.entries()) {
      poke(300_000 + i, 10 + i);
      made.push([offset, part(offset, length)]);
      for (const place of [0, 200, 9000, 300_000, 300_000 + i, 499_500, 520_000, 1_500_000, (4 << 20) - 1]) {
        poke(place, i + 1);
        seen.push(made.map(([start, bytes]) => bytes[place - start]));
      }
    }
    return seen;
  },
  'of a gigabyte, whose memory ends in the middle of a page': ({ ragged, put, peek, ask }) => {
    const { value } = ragged();
    const end = 3 * 4096 - 1500;
    return [end - 1, 0, 4096, end - 4097, end - 4096, end - 2].map((place, i) => {
      value[place] = 10 + i;
      const seen = [peek(place), ask(value), peek(place)];
      put(place, 20 + i);
      seen.push(value[place]);
      value[place] = 30 + i;
      return [...seen, peek(place), end - 1, peek(end - 1), value[end - 1]];
    });
  },
  'a dozen of a gigabyte, memory of which JavaScript is the first to touch': ({ untouched, peekAll }) => {
    const all = untouched();
    return [1, 0, 3, 7, 8, 15].map((page, turn) => {
      all.forEach((bytes, i) => {
        bytes[page * 4096 + 5] = 100 + i;
        if (i % 7 === turn) bytes[4096 * 14 + i] = 1;
      });
      return [peekAll(page * 4096 + 5), peekAll(0), all.map((_, i) => peekAll(4096 * 14 + i)[i])];
    });
  },
  'of a gigabyte, from a constant on': ({ fromConstant, ask, poke, common }) => {
    const [bytes, start] = fromConstant();
    const seen = [bytes.toString('latin1', 0, 35)];
    for (const place of [0, 5000, 70_000, 2 ** 21, 2 ** 22 - 1]) {
      poke(place, 7);
      seen.push(bytes[start + place]);
      bytes[start + place] = 8;
      seen.push(ask(bytes), common(place));
      bytes[start + place] = 9;
      seen.push(ask(bytes.subarray(0, 10)), common(place));
    }
    return seen;
  },
  'of a gigabyte, over the same memory: what is written through one is there in the others': ({ fromConstant, common, poke }) => {
    const [first, start] = fromConstant();
    const [second] = fromConstant();
    const seen = [];
    for (const place of [3, 6000, 2 ** 20 + 1, 2 ** 22 - 2]) {
      first[start + place] = 40;
      const [third] = fromConstant();
      seen.push(second[start + place], third[start + place], common(place), second[start + place]);
      third[start + place]++;
      seen.push(first[start + place], common(place));
      poke(place, 50);
      seen.push([first, second, third].map((bytes) => bytes[start + place]));
    }
    return seen;
  },
  'of a gigabyte, over the same memory, others of which have been collected': ({ fromConstant, common, poke }) => {
    let [first, start] = fromConstant();
    const [second] = fromConstant();
    const seen = [];
    poke(100, 60);
    for (let i = 0; i < 4; i++) {
      first[start + i] = 10 + i;
      second[start + 10 + i] = 20 + i;
      first = undefined;
      gc();
      [first] = fromConstant();
      poke(20 + i, 30 + i);
      seen.push(...[i, 10 + i, 20 + i, 100].flatMap((place) => [first[start + place], second[start + place], common(place)]));
    }
    return seen;
  },
  'of a gigabyte, from where something else was constant before': ({ occupy, fromSpot, readSpot }) => {
    const kept = [];
    const seen = [];
    for (const [value, constant] of [[88, true], [0, false], [90, true], [91, true], [5, false], [0, true], [0, false]]) {
      occupy(value, constant);
      const bytes = fromSpot();
      if (seen.length % 2 === 0) kept.push(bytes);
      else gc();
      if (!constant) bytes[1000] = 9;
      seen.push([1, 300, 1000, 8191, 16383].map((place) => [bytes[place], readSpot(place), bytes[place]]));
    }
    return seen;
  },
  // What is near the pointer at once, the rest in its turn.
  'of a gigabyte, from a constant on, megabytes of which are memory': ({ fromConstant, poke, common }) => {
    const [bytes, start] = fromConstant();
    const seen = [];
    const until = (read, value) => {
      for (let i = 0; i < 3000 && read() !== value; i++) common(0);
      seen.push(read());
    };
    for (let page = 0; page < 1024; page++) poke(page * 4096, 1);
    for (let i = 0; i < 20; i++) {
      poke(i, 50 + i);
      seen.push(bytes[start + i]);
      bytes[start + i] = 100 + i;
      seen.push(common(i));
    }
    for (const place of [2 ** 20, 2 ** 21 + 5, 2 ** 22 - 1]) {
      poke(place, 9);
      until(() => bytes[start + place], 9);
      bytes[start + place] = 8;
      until(() => common(place), 8);
    }
    return seen;
  },
  'what finalizers write is there without another call': async ({ counted, inspect }) => {
    const counter = Buffer.alloc(100);
    // So much to look at that it is not all looked at around each finalizer.
    const others = Array.from({ length: 250 }, (_, i) => Buffer.alloc(1000, i));
    for (const other of others) inspect(other);
    for (const count of [1, 200]) {
      counted(counter, count);
      const end = (counter[0] + count) & 0xff;
      for (let i = 0; i < TURNS && counter[0] !== end; i++) {
        if (i % 20 === 0) gc();
        await turn();
      }
    }
    return [counter, others.length];
  },
  'finalizers run when the buffers are gone': async (addon) => {
    gc();
    await turn();
    await turn();
    addon.takeCounts();
    (() => { for (let i = 0; i < 30; i++) [addon.buffer(100 * i), addon.arraybuffer(10 + i)]; })();
    const total = [0, 0];
    for (let i = 0; i < TURNS && total[0] < 60; i++) {
      if (i % 20 === 0) gc();
      await turn();
      addon.takeCounts().forEach((count, k) => { total[k] += count; });
    }
    return total;
  },
});

for (const how of ['end', 'exit', 'worker']) {
  test(`at the end of the program (${how})`, () => {
    const program = (kit, way) => {
      const use = (addon) => {
        addon.speak();
        globalThis.kept = [addon.buffer(100), addon.arraybuffer(100)];
      };
      if (way === 'worker') {
        const { Worker } = require('node:worker_threads');
        new Worker(`const module = { exports: {} }; process.dlopen(module, ${JSON.stringify(kit.addonFile('external_memory'))});
          (${use})(module.exports);`, { eval: true }).on('exit', (code) => console.log('worker', code));
      } else {
        use(kit.dlopen(kit.addonFile('external_memory')));
        if (way === 'exit') process.exit(3);
      }
    };
    const inProcess = run(program, { args: [how] });
    const isolated = run(program, { args: [how], isolated: true });
    assert.deepEqual({ ...isolated, stderr: '' }, { ...inProcess, stderr: '' }, isolated.stderr);
  });
}
