'use strict';
// References that other threads count and delete: as in Node, which lets them.
const v8 = require('node:v8');
const vm = require('node:vm');
const { cases, turn } = require('./harness.js');
const { programs } = require('./support/programs.js');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** Collects garbage until a WeakRef is empty; gives up after many turns. */
async function isCollected(weak) {
  for (let i = 0; i < 100 && weak.deref() !== undefined; i++) {
    await turn();
    gc();
  }
  return weak.deref() === undefined;
}

/** References a fresh object and forgets it. */
function reference(addon, count) {
  const object = { some: 'object' };
  return { id: addon.create(object, count), weak: new WeakRef(object) };
}

const statuses = (rows) => rows.map(([status]) => status);

cases('foreign_refs', {
  'the count that another thread is told': (addon) => {
    const id = addon.create({}, 1);
    const results = [addon.elsewhere(id, 3, 0, false), addon.ref(id), addon.elsewhere(id, 0, 2, false), addon.unref(id), addon.elsewhere(id, 1, 1, false)];
    return [results, addon.valueOf(id), addon.elsewhere(id, 0, 0, true)];
  },
  'the counts add up': (addon) => {
    const id = addon.create({}, 1);
    const results = [statuses(addon.elsewhere(id, 3, 0, false)), addon.ref(id), statuses(addon.elsewhere(id, 0, 2, false)), addon.unref(id)];
    return [results, addon.valueOf(id), addon.elsewhere(id, 0, 0, true)];
  },
  'deleted on another thread': (addon) => [1, 2, 5].map((count) => addon.elsewhere(addon.create({}, count), 0, 0, true)),
  'counted and deleted at once': (addon) => statuses(addon.elsewhere(addon.create({}, 1), 4, 3, true)),
  'many': (addon) => Array.from({ length: 60 }, (_, i) => statuses(addon.elsewhere(addon.create({ i }, 1), i % 3, 0, true))),
  'a value lives for what another thread counted': async (addon) => {
    const { id } = reference(addon, 1);
    addon.elsewhere(id, 1, 0, false);
    addon.unref(id);
    await turn();
    gc();
    await turn();
    const value = addon.valueOf(id);
    return [value, addon.elsewhere(id, 0, 0, true)];
  },
  'what another thread deleted is collected': async (addon) => {
    const { id, weak } = reference(addon, 1);
    addon.elsewhere(id, 0, 0, true);
    return isCollected(weak);
  },
  'what another thread unreferenced is collected': async (addon) => {
    const { id, weak } = reference(addon, 1);
    const rows = addon.elsewhere(id, 0, 1, false);
    const collected = await isCollected(weak);
    return [statuses(rows), collected, addon.valueOf(id), addon.elsewhere(id, 0, 0, true)];
  },
  'deleted while JavaScript turns its loop': async (addon) => {
    const { id, weak } = reference(addon, 1);
    addon.deleteByThread(id, 7);
    await turn();
    addon.letDelete(7);
    return isCollected(weak);
  },
});

programs({
  'a reference that a thread deletes keeps nothing alive': (kit) => {
    const addon = kit.dlopen(kit.addonFile('foreign_refs'));
    const id = addon.create({}, 1);
    addon.deleteByThread(id, 1);
    addon.letDelete(1);
    kit.print('deleted');
    process.on('exit', () => kit.print('exit'));
  },
});
