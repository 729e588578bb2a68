'use strict';
// What native code has made and kept, written by either side long after: seen at the next turn, as in one process.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const { hostOf, load } = require('../..');
const { addonFile, addons, compare, turn } = require('./harness.js');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** What is made now is a result, as a rule, and soon dead. What has lived through so many calls is not. */
const CALLS = 80;

function settle(addon, call) {
  for (let i = 0; i < CALLS; i++) addon[call](0);
}

function generator(state) {
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

function sum(bytes) {
  return crypto.createHash('sha1').update(bytes).digest('hex');
}

/** `ends`: of so many bytes each, nothing else is written. */
function work(addon, buffers, any, makes, ends) {
  const seen = [];
  for (let step = 0; step < 3000; step++) {
    const place = any(buffers.length), bytes = buffers[place], value = any(256), what = any(40);
    const at = ends ? (any(2) ? any(ends) : bytes.length - 1 - any(ends)) : any(bytes.length);
    if (what === 0 && makes) {
      seen.push(sum(addon.create(200, 3, 130_000 + any(200_000), value)));
    } else if (what < 15) {
      addon.poke(place, at, 1, value);
      seen.push(bytes[at]);
    } else if (what < 25) {
      bytes[at] = value;
    } else if (what < 30) {
      seen.push(addon.around(place, at, 1, value, () => { seen.push(bytes[at]); bytes[bytes.length - 1 - at] ^= 5; }));
      seen.push(bytes[at]);
    } else {
      seen.push(addon.check(place));
    }
  }
  return [seen, buffers.map(sum)];
}

/** Either side writes a byte somewhere: what the other sees of it. */
function writeOne(addon, buffers, any, size) {
  const place = any(buffers.length), at = any(size), value = any(256);
  if (any(2)) {
    addon.poke(place, at, 1, value);
    return buffers[place][at];
  }
  buffers[place][at] = value;
  return addon.check(place);
}

const EXTERNAL = 3, MADE = 0;

// The first of a host: two calls later they come to be watched together, those that have pages in common at once. What a thread wrote up to that moment
// nobody has been told of.
for (const [place, calls] of [[0, 1], [1, 1], [2, 1], [3, 0], [3, 1], [3, 2], [4, 1], [5, 1]]) {
  test(`large external ones, of which a thread writes number ${place} before they come to be watched together: ${calls} calls`, () => {
    const use = (addon) => {
      const buffers = Array.from({ length: 6 }, (_, i) => addon.create(i, EXTERNAL, 300_000, i));
      for (let i = 0; i < calls; i++) addon.check(i % 6);
      addon.threadStart(place, 1);
      for (const end = Date.now() + 20; Date.now() < end;);
      addon.check(0);
      addon.threadJoin();
      return buffers.map(sum);
    };
    assert.deepEqual(use(load(addonFile('memory_stress'))), use(addons('memory_stress').inProcess));
  });
}

for (const [name, { kind, sizes, ends }] of Object.entries({
  'small external': { kind: EXTERNAL, sizes: [16, 200, 3000] },
  'large external': { kind: EXTERNAL, sizes: [5000, 20_000, 60_000] },
  'very large external': { kind: EXTERNAL, sizes: [130_000, 300_000] },
  'external, of all sizes,': { kind: EXTERNAL, sizes: [16, 3000, 5000, 60_000, 200_000] },
  // Both processes map their pages, but for the ends.
  'large native': { kind: MADE, sizes: [130_000, 200_000], ends: 4000 },
})) {
  const make = (addon, any) => Array.from({ length: 120 }, (_, i) => addon.create(i, kind, sizes[i % sizes.length] + any(100), i));

  test(`many ${name} ones, written by both sides at random`, (t) => compare(t, 'memory_stress', (addon) => [1, 2].map((seed) => {
    const any = generator(seed), buffers = make(addon, any);
    for (let i = 0; i < CALLS; i++) addon.drop(200);
    return work(addon, buffers, any, false, ends);
  })));

  // These are gone at once, and have pages in common with those that live.
  test(`many ${name} ones that have lived through collections, beside new ones`, (t) => compare(t, 'memory_stress', async (addon) => {
    const any = generator(3), buffers = make(addon, any);
    for (let i = 0; i < 10; i++) {
      gc();
      await turn();
      addon.drop(200);
    }
    return work(addon, buffers, any, true, ends);
  }));
}

// No collection has shown yet what becomes of such, and nobody waits.
for (const [kind, name] of [[EXTERNAL, 'external'], [MADE, 'made']]) {
  for (const [count, size] of [[5, 60_000], [100, 100], [60, 4000], [100, 8192], [40, 100_000], [60, 200_000]]) {
    test(`${count} ${name} ones of ${size} bytes, written from the first call on`, (t) => compare(t, 'memory_stress', (addon) => {
      const buffers = [], any = generator(count), seen = [];
      for (let i = 0; i < 3 * count; i++) {
        if (i < count) buffers.push(addon.create(i, kind, size, i));
        seen.push(writeOne(addon, buffers, any, size));
      }
      return [seen, buffers.map(sum)];
    }));
  }
}

// However many: two calls later none is late.
test('120 external ones of 140,000 bytes, written once two calls have made no other', (t) => compare(t, 'memory_stress', (addon) => {
  const any = generator(3), buffers = Array.from({ length: 120 }, (_, place) => addon.create(place, EXTERNAL, 140_000, place)), seen = [];
  for (let i = 0; i < 4; i++) addon.check(i);
  for (let i = 0; i < 500; i++) seen.push(writeOne(addon, buffers, any, 140_000));
  return [seen, buffers.map(sum)];
}));

// Collections have shown that results die; then the first of others is found written in its turn, and after that none is late.
test('external ones that are kept after thousands of results', (t) => compare(t, 'memory_stress', async (addon) => {
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 1000; i++) addon.create(200, EXTERNAL, 1000, i);
    gc();
    await turn();
  }
  const buffers = Array.from({ length: 12 }, (_, place) => addon.create(place, EXTERNAL, 60_000, 0));
  addon.poke(0, 500, 1, 9);
  for (let calls = 0; buffers[0][500] !== 9 && calls < 15; calls++) addon.check(11);
  return [buffers[0][500], ...buffers.slice(1).map((bytes, i) => {
    addon.poke(i + 1, i * 4000, 1, i + 20);
    return bytes[i * 4000];
  })];
}));

for (const length of [8192, 60_000, 300_000]) {
  test(`what JavaScript writes hides nothing that native code writes beside it: ${length} bytes`, (t) => compare(t, 'external_kept', (addon) => {
    const bytes = addon.mapped(length), seen = [];
    settle(addon, 'idle');
    for (let i = 0; i < 200; i++) {
      const at = i * 16 % (length - 16);
      bytes[at] = i;
      seen.push(addon.get(at));
      addon.put(at + 8, i + 1);
      seen.push(bytes[at + 8]);
    }
    return seen;
  }));

  test(`memory that is mapped anew: ${length} bytes`, (t) => compare(t, 'external_kept', (addon) => {
    const bytes = addon.mapped(length), seen = [];
    for (let i = 0; i < 5; i++) {
      settle(addon, 'idle');
      addon.remap(i + 2);
      seen.push(sum(bytes));
      settle(addon, 'idle');
      addon.put(5000, i);
      seen.push(bytes[5000]);
    }
    return seen;
  }));

  test(`a file that is written past the memory: ${length} bytes`, (t) => compare(t, 'external_kept', (addon) => {
    const bytes = addon.shared(length), seen = [];
    for (let i = 0; i < 5; i++) {
      addon.putFile(i * 1000, 50 + i);
      seen.push(bytes[i * 1000]);
      settle(addon, 'idle');
      addon.putFile(i * 1000 + 1, 70 + i);
      seen.push(bytes[i * 1000 + 1]);
      bytes[7000] = i;
      seen.push(addon.get(7000));
    }
    return seen;
  }));
}

// It is compared from then on, in the host.
for (const length of [300, 20_000, 200_000]) {
  for (const news of [true, false]) {
    test(`one of ${length} bytes that is written beside all the time, ${news ? 'while new ones come' : 'alone'}`, (t) => compare(t, 'external_kept', (addon) => {
      const any = generator(5), seen = [], others = [];
      for (let i = 0; i < 15; i++) others.push(addon.inside(5000));
      const places = [0, 1, 3995, 3996, 100_000, 196_500, 196_507, 196_508, 196_509, length - 2, length - 1].filter((place) => place < length);
      let bytes = addon.inside(length);
      for (let i = 0; i < 400; i++) {
        const at = places[any(places.length)], other = places[any(places.length)];
        if (news && i % 10 === 9) bytes = addon.inside(length);
        if (i % 3 !== 0) addon.putBeside(i % 256);
        if (i % 50 === 20) {
          addon.hide(true);
          addon.idle();
          addon.hide(false);
        }
        if (i % 100 === 99) for (let j = 0; j < 80; j++) addon.putBeside(j);
        addon.put(at, i % 251);
        seen.push(bytes[at]);
        bytes[other] = i % 241;
        seen.push(addon.get(other), addon.get(at));
      }
      return [seen, sum(bytes), others.map(sum)];
    }));
  }
}

// It would be a fault, a question and a message with each call.
for (const length of [300, 20_000]) {
  test(`the host does not tell for ever what is written beside one of ${length} bytes`, () => {
    const addon = load(addonFile('external_kept')), kept = [];
    for (let i = 0; i < 20; i++) kept.push(addon.inside(length));
    settle(addon, 'idle');
    for (let i = 0; i < 200; i++) addon.putBeside(i);
    const posts = () => hostOf(addon).counts().posts, before = posts();
    for (let i = 0; i < 50; i++) addon.putBeside(i);
    assert.equal(posts() - before, 0);
    addon.put(7, 77);
    assert.equal(kept.at(-1)[7], 77);
    kept.at(-1)[8] = 78;
    assert.equal(addon.get(8), 78);
    addon.hide(true);
    addon.idle();
    addon.hide(false);
    addon.put(9, 79);
    assert.equal(kept.at(-1)[9], 79);
    // Every so often the host tries to watch them again.
    for (let i = 0; i < 5000; i++) {
      addon.putBeside(i % 256);
      if (i % 7 !== 0) continue;
      addon.put(i % 299, i % 251);
      assert.equal(kept.at(-1)[i % 299], i % 251, `call ${i}`);
      kept.at(-1)[i % 298] = i % 241;
      assert.equal(addon.get(i % 298), i % 241, `call ${i}`);
    }
  });
}

// Every so often the host goes back to watching: what was written since it compared is not forgotten.
test('what another thread writes to one that is written beside, while JavaScript has the turn', (t) => {
  const addon = load(addonFile('external_kept')), others = [];
  for (let i = 0; i < 20; i++) others.push(addon.inside(300));
  const bytes = addon.inside(300), missed = [];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-remote-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const pipes = ['wishes', 'done'].map((name) => path.join(folder, name));
  execFileSync('mkfifo', pipes);
  // Both ends, so that nobody waits for the other to open it.
  const [wishes, done] = pipes.map((pipe) => fs.openSync(pipe, 'r+'));
  addon.startWriter(...pipes);
  settle(addon, 'idle');
  for (let i = 0; i < 200; i++) addon.putBeside(i);
  const answer = Buffer.alloc(1);
  for (let round = 0; round < 8000; round++) {
    const at = round % 256, value = round % 251;
    fs.writeSync(wishes, Uint8Array.of(at, value));
    assert.equal(fs.readSync(done, answer), 1);
    for (let i = 0; i < 3; i++) addon.idle();
    if (bytes[at] !== value) missed.push(round);
    if (round % 400 === 399) for (let i = 0; i < 150; i++) addon.putBeside(i);
  }
  fs.closeSync(wishes);
  addon.joinWriter();
  fs.closeSync(done);
  assert.deepEqual(missed, []);
  assert.equal(others.length, 20);
});

// Nominal ones are watched by themselves, and take the pages of those that were with others.
test('one of nominally a gigabyte over memory of others that live', (t) => compare(t, 'external_memory', ({ part, poke, fromConstant }) => {
  const parts = Array.from({ length: 10 }, (_, i) => part(i * 20_000, 20_000)), seen = [];
  for (let i = 0; i < CALLS; i++) poke(4 << 19, i);
  const [whole, start] = fromConstant();
  for (let i = 0; i < 300; i++) {
    poke(i * 613, i);
    seen.push(parts[Math.floor(i * 613 / 20_000)][i * 613 % 20_000], whole[start + i * 613]);
  }
  return seen;
}));

// Most of such a Buffer may be no memory at all, so only what has been seen of it is compared. Each place is a new one.
for (const [name, { count, places }] of Object.entries({ one: { count: 1, places: 100 }, eight: { count: 8, places: 5 } })) {
  test(`${name} of 64 MiB and more, where JavaScript writes what native code has never touched`, (t) => compare(t, 'kept', (addon) => {
    const any = generator(4), read = (place, at) => addon.meet(place, at, 1, 'nothing', null)[0];
    const buffers = Array.from({ length: count }, (_, i) => addon.create(i, (64 + 20 * i) * 2 ** 20));
    const seen = [];
    for (let i = 0; i < places; i++) {
      for (const [place, buffer] of buffers.entries()) {
        const at = (i * count + place) * 40_000 + any(10_000);
        buffer[at] = 7;
        buffer.fill(i, at + 5000, at + 20_000);
        seen.push(read(place, at), buffer[at], read(place, at + 6000));
      }
    }
    return seen;
  }));
}

// Places here and there, of which more and more are there: each is written again and again, by one side or the other.
for (const count of [6]) {
  test(`${count} of 64 MiB and more, where both sides write all over`, (t) => compare(t, 'kept', (addon) => {
    const any = generator(6), read = (place, at) => addon.meet(place, at, 1, 'nothing', null)[0];
    const buffers = Array.from({ length: count }, (_, i) => addon.create(i, (64 + 20 * i) * 2 ** 20));
    const seen = [], places = buffers.map((buffer) => Array.from({ length: 200 }, () => any(buffer.length - 20_000)));
    for (let i = 0; i < 1500; i++) {
      const place = any(count), at = places[place][any(200)] + any(2) * any(20_000), buffer = buffers[place];
      if (any(2) === 0) {
        addon.poke(place, at, i);
        seen.push(buffer[at]);
      } else {
        buffer[at] = i;
        seen.push(read(place, at));
      }
      const other = any(count), again = places[other][any(200)];
      seen.push(buffers[other][again], read(other, again));
    }
    return seen;
  }));
}
