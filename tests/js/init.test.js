'use strict';
// More forms of Init, and what belongs to the process and what to the env.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { addonFile, run, runJson } = require('./support/child.js');
const { hostOf, load } = require('../..');
const { addons, cases, compare } = require('./harness.js');

cases('init_dlopen', {
  'Init opens another addon by itself': (addon) => addon,
  'the other addon works': ({ other }) => [other.add(1.5, 2), other.concat('a', '\u20ac'), other.buildObject(3), other.identity(other) === other],
});

test('Init returns a primitive', () => {
  const module = { exports: {} };
  process.dlopen(module, addonFile('init_primitive'));
  assert.equal(load(addonFile('init_primitive')), module.exports);
});

test('an addon that declares no version', (t) => compare(t, 'init_versionless', (addon) => [addon, addon.version()]));

test('Init brings the host down: an error, and the next load works', () => {
  const died = run((kit) => kit.dlopen(kit.addonFile('init_dead')));
  assert.throws(() => load(addonFile('init_dead')), (error) => {
    assert.equal(error.code, 'ERR_NAPI_REMOTE_HOST_DIED');
    assert.equal(error.signal, died.signal);
    return true;
  });
  assert.equal(load(addonFile('basic')).add(1, 2), addons('basic').inProcess.add(1, 2));
});

const loads = (kit, group) => {
  const file = kit.addonFile('statics');
  const dlopen = () => (group ? kit.remote.load(file, { group }) : kit.dlopen(file));
  const first = dlopen();
  const second = dlopen();
  kit.print([first.loads(), first.instance(), second.loads(), second.instance(), first === second]);
};

test('C statics belong to the process, instance data to the env', () => {
  const inProcess = runJson(loads);
  assert.deepEqual(runJson(loads, { isolated: true }), inProcess);
  assert.deepEqual(runJson(loads, { args: ['one'] }), inProcess);
});

test('each load() has C statics of its own', () => {
  const [one, two] = [load(addonFile('statics')), load(addonFile('statics'))];
  assert.notEqual(hostOf(one).pid, hostOf(two).pid);
  assert.deepEqual([one.loads(), two.loads()], [1, 1]);
});
