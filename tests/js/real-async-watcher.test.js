'use strict';
// A published watcher of files, compared in-process and isolated: its threads tell JavaScript what happens, whenever it does.
const { compareAddon } = require('./support/real.js');

compareAddon('@parcel/watcher', { values: 7, errors: 2 }, async ({ addon, require, settle }) => {
  const [fs, os, path] = ['fs', 'os', 'path'].map(require);
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'napi-remote-watcher-')));
  const watched = path.join(folder, 'watched');
  fs.mkdirSync(watched);
  const named = (events) => events.map(({ type, path: file }) => `${type} ${path.relative(folder, file)}`).sort();
  let told = [];
  let wake = () => {};
  // The update that follows a file's creation may come with it, which makes them one, or later: it is left out.
  const listen = (error, events) => {
    told.push(...(error ? [String(error)] : named(events.filter(({ type }) => type !== 'update'))));
    wake();
  };
  /** Does something in the folder, and waits until all of `names` have been told. */
  const after = (act, names) => settle(async () => {
    told = [];
    act();
    while (!names.every((name) => told.some((each) => each.endsWith(name)))) await new Promise((resolve) => (wake = resolve));
    return [...new Set(told)].sort();
  });
  try {
    const file = (name) => path.join(watched, name);
    const subscription = await addon.subscribe(watched, listen, { ignore: ['ignored', '*.tmp'] });
    await after(() => fs.writeFileSync(file('one'), '1'), ['one']);
    await after(() => fs.mkdirSync(file('sub')), ['sub']);
    await after(() => fs.writeFileSync(file('x.tmp'), '1') ?? fs.writeFileSync(file('two'), '2'), ['two']);
    await after(() => fs.rmSync(file('one')), ['one']);
    await after(() => fs.renameSync(file('two'), file('three')), ['two', 'three']);
    await settle(() => subscription.unsubscribe());
    const snapshot = path.join(folder, 'snapshot.txt');
    await settle(async () => typeof (await addon.writeSnapshot(watched, snapshot)));
    fs.writeFileSync(file('four'), '4');
    fs.rmSync(file('three'));
    await settle(async () => named(await addon.getEventsSince(watched, snapshot)));
    await settle(() => addon.subscribe('/no/such/folder', listen));
    await settle(() => addon.getEventsSince('/no/such/folder', snapshot));
    await settle(() => addon.subscribe(watched, null));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
