'use strict';
// Published password hashes that work in the background, compared in-process and isolated: promises, callbacks, many at once.
const { compareAddon } = require('./support/real.js');

compareAddon('bcrypt', { values: 60, errors: 15, what: 'in the background' }, async ({ addon, settle, called, bytes, odd }) => {
  const salts = ['$2b$04$abcdefghijklmnopqrstuu', '$2a$04$......................', 'no salt', '', '$2b$99$abcdefghijklmnopqrstuu'];
  const inputs = ['', 'secret', 'ä€😀', 'a\0b', 'x'.repeat(72), 'x'.repeat(300), bytes(30), bytes(100)];
  for (const input of inputs) {
    for (const salt of salts) await settle(() => addon.hash(input, salt));
    await called((callback) => addon.hash(input, salts[0], callback));
    const hash = await addon.hash(input, 4);
    await settle(() => addon.compare(input, hash));
    await settle(() => addon.compare('other', hash));
    await called((callback) => addon.compare(input, hash, callback));
  }
  for (const value of odd.filter((each) => typeof each !== 'number' && typeof each !== 'function')) {
    await settle(() => addon.hash('secret', value ?? 'no salt'));
    await settle(() => addon.compare('secret', value));
    await settle(() => addon.compare(value, 'no hash'));
  }
  for (const rounds of [4, 5, 10, 31]) await settle(async () => (await addon.genSalt(rounds)).slice(0, 7));
  await called((callback) => addon.genSalt(4, 'a', (error, salt) => callback(error, salt?.slice(0, 7), salt?.length)));
  // All at once: more than there are threads.
  await Promise.all(Array.from({ length: 40 }, (_, i) => settle(() => addon.hash(`secret ${i}`, salts[i % 2]))));
});

compareAddon('argon2', { values: 300, errors: 25 }, async ({ addon, record, settle, random, bytes, inputs, odd }) => {
  const quick = () => ({ memoryCost: 64, timeCost: 2, parallelism: 1, salt: bytes(16) });
  for (const input of inputs) {
    const hash = await settle(() => addon.hash(input, quick()));
    await settle(() => addon.verify(hash, input));
  }
  for (let i = 0; i < 30; i++) {
    const options = {
      ...quick(), salt: bytes(8 + random(40)), hashLength: 4 + random(200), timeCost: 2 + random(2), parallelism: 1 + random(3), type: random(3),
    };
    if (random(2)) options.secret = bytes(random(40));
    if (random(2)) options.associatedData = bytes(random(30));
    const hash = await settle(() => addon.hash('secret', options));
    await settle(() => addon.hash('secret', { ...options, raw: true }));
    await settle(() => addon.verify(hash, 'secret', options));
    await settle(() => addon.verify(hash, 'Secret', options));
    record(() => addon.needsRehash(hash, options));
  }
  for (const broken of [{ salt: bytes(3) }, { hashLength: 1 }, { timeCost: 0 }, { parallelism: 0 }, { memoryCost: 1, parallelism: 8 }]) {
    await settle(() => addon.hash('secret', { ...quick(), ...broken }));
  }
  for (const value of odd) {
    await settle(() => addon.hash(value, quick()));
    await settle(() => addon.verify(value, 'secret'));
  }
  await Promise.all(Array.from({ length: 40 }, (_, i) => settle(() => addon.hash(`secret ${i}`, quick()))));
});

const background = { values: 120, errors: 80, what: 'in the background' };
compareAddon('@node-rs/argon2', background, async ({ addon, settle, random, bytes, inputs, odd }) => {
  const quick = { memoryCost: 64, timeCost: 1, salt: bytes(16) };
  for (const input of inputs) {
    const hash = await settle(() => addon.hash(input, quick));
    await settle(() => addon.hashRaw(input, quick));
    await settle(() => addon.verify(hash, input));
  }
  for (const value of [...odd, -1, 0, '5', Buffer.alloc(3)]) {
    for (const name of ['outputLen', 'parallelism', 'algorithm', 'version', 'secret']) {
      if (name !== 'outputLen' || value !== -1) await settle(() => addon.hash('x', { ...quick, [name]: value }));
    }
    await settle(() => addon.hash(value, quick));
    await settle(() => addon.verify(value, 'x'));
    await settle(() => addon.verify('$argon2id$', value));
  }
  // Many at once, and none that keeps its input to itself.
  await Promise.all(Array.from({ length: 60 }, (_, i) => settle(() => addon.hash(bytes(random(100)), { ...quick, timeCost: 1 + (i % 3) }))));
  await settle(() => addon.hash('x', { ...quick, get secret() { throw new RangeError('from the getter'); } }));
});
