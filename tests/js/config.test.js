'use strict';
// What register isolates, and how: napi-remote in the package.json, or a file of one's own.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { addonFile, register, run, temporaryFolder } = require('./support/child.js');

// A program with addons in packages and beside it, and what it finds out about each of them.
const PROGRAM = `
  const { hostOf } = require(process.env.NAPI_REMOTE_ROOT);
  const describe = (name) => {
    const addon = require(name);
    const host = hostOf(addon);
    return { pid: addon.pid(), group: host === undefined ? 'none' : host.group ?? null, limit: addon.limit(0) };
  };
  const names = ['one', '@scope/two', './build/here.node', './build/deep/er/there.node', './other.node'];
  console.log(JSON.stringify({ pid: process.pid, addons: names.map(describe) }));
`;

/** Runs the program with `config` in its package.json, or in a file of its own. */
function runWith(t, config, { own = false, main = {}, text } = {}) {
  const folder = fs.realpathSync(temporaryFolder(t));
  const place = (...parts) => {
    const file = path.join(folder, ...parts);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.copyFileSync(addonFile('plugin'), file);
  };
  for (const name of ['one', '@scope/two']) {
    place('node_modules', name, 'build', 'addon.node');
    fs.writeFileSync(path.join(folder, 'node_modules', name, 'package.json'), JSON.stringify({ name, main: 'build/addon.node' }));
  }
  place('build', 'here.node');
  place('build', 'deep', 'er', 'there.node');
  place('other.node');
  fs.writeFileSync(path.join(folder, 'main.js'), PROGRAM);
  fs.writeFileSync(path.join(folder, 'package.json'), text ?? JSON.stringify({ name: 'program', ...main, ...(own ? {} : { 'napi-remote': config }) }));
  const env = { NAPI_REMOTE_ROOT: path.dirname(path.dirname(register)) };
  if (own) {
    env.NAPI_REMOTE_CONFIG = path.join(folder, 'config.json');
    if (config !== undefined) fs.writeFileSync(env.NAPI_REMOTE_CONFIG, typeof config === 'string' ? config : JSON.stringify(config));
  }
  const result = run(path.join(folder, 'main.js'), { isolated: true, env, cwd: '/' });
  if (result.code !== 0) return { folder, ...result };
  const { pid, addons } = JSON.parse(result.stdout);
  return { folder, pid, addons, pids: addons.map((addon) => addon.pid), groups: addons.map((addon) => addon.group) };
}

test('without any, all addons share a process', (t) => {
  const { pid, pids, groups } = runWith(t, undefined);
  assert.equal(new Set(pids).size, 1);
  assert.notEqual(pids[0], pid);
  assert.deepEqual(groups, ['', '', '', '', '']);
});

for (const own of [false, true]) {
  test(`rules by package and by path, ${own ? 'in a file of its own' : 'in package.json'}`, (t) => {
    const { pid, pids, groups, addons } = runWith(t, {
      addons: {
        one: { group: 'first', limits: { cpuSeconds: 1000 } },
        '@scope/two': false,
        './build/*.node': { limits: { cpuSeconds: 2000 } },
        './build/**/*.node': { group: 'first' },
      },
    }, { own });
    assert.deepEqual(groups, ['first', 'none', null, 'first', '']);
    assert.deepEqual(addons.map(({ limit }) => limit), [1000, addons[1].limit, 2000, 1000, addons[1].limit]);
    assert.equal(pids[1], pid);
    assert.equal(pids[3], pids[0]);
    assert.equal(new Set(pids).size, 4);
  });
}

test('what no rule is for', (t) => {
  const { pid, pids } = runWith(t, { default: false, addons: { one: {} } });
  assert.deepEqual(pids.map((each) => each === pid), [false, true, true, true, true]);
  const { addons } = runWith(t, { default: { limits: { cpuSeconds: 3000 } }, addons: { one: {} } });
  assert.deepEqual(addons.slice(1).map(({ limit, group }) => [limit, group]), Array(4).fill([3000, '']));
});

test('the empty name is for none', (t) => {
  const before = process.env.NAPI_REMOTE_CONFIG;
  process.env.NAPI_REMOTE_CONFIG = '';
  t.after(() => {
    if (before === undefined) delete process.env.NAPI_REMOTE_CONFIG;
    else process.env.NAPI_REMOTE_CONFIG = before;
  });
  assert.deepEqual(runWith(t, { default: false }).groups, ['', '', '', '', '']);
});

const WRONG = {
  'a default that is null': [{ default: null }, /'napi-remote\.default' must be an object, or false/],
  'a default that is a list': [{ default: [] }, /'napi-remote\.default' must be an object, or false/],
  'a default that is empty': [{ default: '' }, /'napi-remote\.default' must be an object, or false/],
  'a rule without a name': [{ addons: { '': {} } }, /'napi-remote\.addons\[''\]' is for no addon/],
  'an unknown key': [{ addon: {} }, /package\.json: 'napi-remote\.addon' is not known; there are 'default' and 'addons'/],
  'an unknown option': [{ addons: { one: { tmeout: 5 } } }, /package\.json: The property 'napi-remote\.addons\['one'\]\.tmeout' is not an option of/],
  'a wrong value': [{ default: { timeout: 'long' } }, /package\.json: The "napi-remote\.default\.timeout" property must be of type number/],
  'an unknown key deep inside': [{ default: { limits: { memory: 5 } } }, /'napi-remote\.default\.limits\.memory' is not an option of/],
  'a signal': [{ addons: { one: { signal: {} } } }, /'napi-remote\.addons\['one'\]\.signal' cannot be set/],
  'a rule that is none': [{ addons: { one: true } }, /'napi-remote\.addons\['one'\]' must be an object, or false/],
  'addons that are none': [{ addons: [] }, /'napi-remote\.addons' must be an object/],
  'no object': [5, /napi-remote must be an object/],
};
for (const [what, [config, message]] of Object.entries(WRONG)) {
  test(`${what} is an error that names the file and the key`, (t) => {
    const { code, stderr, folder } = runWith(t, config);
    assert.equal(code, 1);
    assert.match(stderr, message);
    assert.match(stderr, /ERR_NAPI_REMOTE_CONFIG/);
    assert.ok(stderr.includes(folder));
  });
}

test('a file that is not there, or no JSON', (t) => {
  assert.match(runWith(t, undefined, { own: true }).stderr, /config\.json: cannot be read \(ENOENT\)/);
  assert.match(runWith(t, '{', { own: true }).stderr, /config\.json: is no JSON/);
  assert.match(runWith(t, { default: { x: 1 } }, { own: true }).stderr, /config\.json: The property 'default\.x' is not an option of/);
});
