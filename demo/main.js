'use strict';
// The demonstration that `sh scripts/demo` runs: the same program (demo/app.js) in-process and isolated, then a crash.
const { spawnSync } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '..');
const addons = path.join(process.env.NAPI_REMOTE_BUILD_DIR ?? path.join(root, 'build', 'release'), 'addons');

function node(...args) {
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

// Runs the program and takes its lines apart.
function run(title, ...args) {
  const result = node(...args, 'demo/app.js');
  if (result.status !== 0) {
    console.error(`${title}: the program failed (${result.signal ?? `exit code ${result.status}`})\n${result.stdout}${result.stderr}`);
    process.exit(1);
  }
  return result.stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
}

function formatTime(ns) {
  return ns < 1e6 ? `${(ns / 1e3).toFixed(2)} us` : `${(ns / 1e6).toFixed(2)} ms`;
}

// Which process has loaded the addon's file: a package's own, or that of its platform package (@node-rs/crc32-linux-x64-gnu).
function pidOf(hosts, addon) {
  const folder = `${path.sep}node_modules${path.sep}${addon.replace('/', path.sep)}`;
  return hosts.find((host) => host.files.some((file) => file.includes(`${folder}${path.sep}`) || file.includes(`${folder}-`)))?.pid;
}

function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) console.log(`   ${row.map((cell, i) => cell.padEnd(widths[i])).join('  ')}`.trimEnd());
}

function showAddons() {
  console.log('1. Real addons from npm, unmodified: demo/app.js, run twice');
  console.log('     node demo/app.js');
  console.log('     node -r napi-remote/register demo/app.js\n');
  const expected = run('in-process');
  const isolated = run('isolated', '-r', 'napi-remote/register', '-r', './demo/observe.js');
  const { node: nodePid, hosts } = isolated.pop();

  let failures = 0;
  const rows = [['addon', 'call', 'result', 'same?', 'ran in', 'in-process', 'isolated']];
  isolated.forEach((line, i) => {
    const pid = pidOf(hosts, line.addon);
    const same = line.bytes === expected[i].bytes;
    if (!same || pid === undefined || pid === nodePid) failures++;
    rows.push([line.addon, line.call, line.shown, same ? 'same' : 'DIFFERS', pid === undefined ? 'NO HOST' : `pid ${pid}`,
      formatTime(expected[i].ns), formatTime(line.ns)]);
  });
  printTable(rows);
  console.log(`\n   Node itself was pid ${nodePid}. Results are compared byte for byte; times are medians of one call.\n`);
  return failures;
}

function showCrash() {
  console.log('2. An addon that dereferences NULL\n');
  const plain = node('-e', 'const m = { exports: {} }; process.dlopen(m, process.argv[1]); m.exports.crash();', path.join(addons, 'crash.node'));
  console.log(`   in Node's own process:  Node ends with ${plain.signal ?? `exit code ${plain.status}`}`);
  const isolated = node('-r', 'napi-remote/register', 'demo/crash.js', addons);
  process.stdout.write(isolated.stdout);
  if (isolated.status !== 0) {
    console.log(`   demo/crash.js FAILED (${isolated.signal ?? `exit code ${isolated.status}`})\n${isolated.stderr}`);
    return 1;
  }
  console.log('   Node ended well:        exit code 0\n');
  return 0;
}

console.log(`napi-remote, Node ${process.version}, ${os.availableParallelism()} CPUs\n`);
const failures = showAddons() + showCrash();
console.log(failures === 0 ? 'All as it should be.' : `${failures} of these went WRONG.`);
process.exit(failures === 0 ? 0 : 1);
