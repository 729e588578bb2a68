'use strict';
// A published database that works in the background, compared in-process and isolated.
const { compareAddon } = require('./support/real.js');

compareAddon('classic-level', { values: 60, errors: 5 }, async ({ addon, require, record, settle, random, bytes, text }) => {
  const [fs, os, path] = ['fs', 'os', 'path'].map(require);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-remote-level-'));
  try {
    const open = () => new addon.ClassicLevel(folder, { valueEncoding: 'buffer' });
    const db = open();
    await settle(() => db.open());
    for (let i = 0; i < 20; i++) await settle(() => db.put(`key ${i}`, bytes(random(3000))));
    for (let i = 0; i < 22; i++) await settle(() => db.get(`key ${i}`));
    record(() => db.getSync('key 3'));
    await settle(() => db.getMany(['key 1', 'none', 'key 19']));
    await settle(() => db.has('key 1'));
    await settle(() => db.hasMany(['key 1', 'none']));
    await settle(() => db.del('key 1'));
    await settle(() => db.batch(Array.from({ length: 300 }, (_, i) => ({ type: 'put', key: `batch ${text(5)} ${i}`, value: bytes(random(200)) }))));
    await settle(() => db.batch().put('a', Buffer.from('1')).del('key 2').put('b', Buffer.alloc(70000, 7)).write());
    await settle(() => db.iterator().all());
    await settle(() => db.keys({ gt: 'batch', lt: 'key 5', reverse: true, limit: 50 }).all());
    await settle(async () => {
      const seen = [];
      for await (const [key, value] of db.iterator({ gte: 'key', fillCache: true })) seen.push(key, value.length);
      return seen;
    });
    // A snapshot sees what was; a second database must not have the folder.
    const snapshot = db.snapshot();
    await settle(() => db.put('key 3', Buffer.from('new')));
    await settle(() => db.get('key 3', { snapshot }));
    await settle(() => db.get('key 3'));
    await settle(() => snapshot.close());
    await settle(() => open().open().catch((error) => error.cause?.code));
    await settle(() => Promise.all(Array.from({ length: 100 }, (_, i) => db.put(`many ${i}`, bytes(random(100))))));
    await settle(() => Promise.all(Array.from({ length: 100 }, (_, i) => db.get(`many ${i}`))));
    await settle(() => db.approximateSize('a', 'z'));
    await settle(() => db.compactRange('a', 'z'));
    record(() => db.getProperty('leveldb.num-files-at-level0'));
    await settle(() => db.clear({ gt: 'batch', lt: 'c' }));
    await settle(() => db.iterator().all());
    // An iterator that is open when the database is closed.
    const iterator = db.iterator();
    await settle(() => iterator.next());
    await settle(() => db.close());
    await settle(() => iterator.next());
    await settle(() => db.get('key 3'));
    await settle(() => db.put('key 3', Buffer.alloc(1)));
    await settle(() => db.open());
    await settle(() => db.get('key 3'));
    await settle(() => db.put(undefined, Buffer.alloc(1)));
    await settle(() => db.put('x', null));
    await settle(() => db.close());
    await settle(() => addon.ClassicLevel.repair(folder));
    await settle(() => addon.ClassicLevel.destroy(folder));
    record(() => fs.readdirSync(folder));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
