'use strict';
// NAPI_REMOTE_TRACE: one line for each call and each entry, on stderr, and nothing else changes.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run } = require('./support/child.js');

/** What a program writes that loads basic and callbacks; a line of its own on stderr separates the loads from the calls. */
function traced(trace, program) {
  const { code, stdout, stderr } = run((kit, source) => {
    const { hostOf, load } = kit.remote;
    const basic = load(kit.addonFile('basic'));
    const callbacks = load(kit.addonFile('callbacks'));
    kit.print([process.pid, hostOf(basic).pid, hostOf(callbacks).pid]);
    process.stderr.write('calls:\n');
    Function('basic', 'callbacks', source)(basic, callbacks); // eslint-disable-line no-new-func
    process.stderr.write('end\n');
  }, { args: [program], env: { NAPI_REMOTE_TRACE: trace } });
  assert.equal(code, 0, stderr);
  const [node, basic, callbacks] = JSON.parse(stdout.split('\n')[0]);
  const [loads, rest] = stderr.split('calls:\n');
  const [calls, after] = rest.split('end\n');
  const lines = (text) => text.split('\n').filter((line) => line !== '');
  return { pids: { node, basic, callbacks }, loads: lines(loads), calls: lines(calls), after: lines(after), stdout: stdout.split('\n').slice(1).join('\n') };
}

const PROGRAM = `
  basic.add(1.5, 2);
  basic.concat('left ', 'right');
  basic.buildArray(2);
  callbacks.callFunction(null, (value) => { basic.noop(); return value; }, ['argument']);
  try { basic.add('no number', 1); } catch { console.log('thrown'); }
`;

/** [pid] indentation, arrow, name, rest */
const LINE = /^\[(server )?(\d+)\] ( *)(> )?(\w+)(?: \(posted\))? (.*)$/;

function parse(line) {
  const match = LINE.exec(line);
  assert.ok(match, `a line of the trace: ${JSON.stringify(line)}`);
  const [, server, pid, indentation, entry, name, rest] = match;
  return { server: server !== undefined, pid: Number(pid), depth: indentation.length / 2, entry: entry !== undefined, name, rest };
}

test('nothing without it', () => {
  for (const trace of ['', '0', undefined]) {
    const { loads, calls, after, stdout } = traced(trace, PROGRAM);
    assert.deepEqual([loads, calls, after, stdout], [[], [], [], 'thrown\n'], `NAPI_REMOTE_TRACE=${trace}`);
  }
});

test('every line has a process, a depth, a name, and the status of calls', () => {
  const { pids, loads, calls, after, stdout } = traced('1', PROGRAM);
  assert.equal(stdout, 'thrown\n');
  for (const line of [...loads, ...calls, ...after]) {
    const { server, pid, entry, name, rest } = parse(line);
    assert.equal(server, false);
    assert.ok(pid === pids.basic || pid === pids.callbacks, line);
    if (entry) assert.match(name, /^(load|init|invoke|finalize|cleanup_hook|exit)$/);
    else assert.match(name, /^(napi|node_api)_\w+$/);
    if (!entry) assert.match(rest, /^(\{.*\}|\(refused\)) = napi_\w+( \{.*\})?$/);
  }
});

test('loads, Inits and the end are there', () => {
  const { loads, after } = traced('1', '');
  const entries = loads.map(parse).filter(({ entry }) => entry);
  assert.deepEqual(entries.map(({ name }) => name), ['load', 'init', 'load', 'init']);
  assert.ok(loads.some((line) => /napi_create_function \{.*utf8name="add"/.test(line)));
  assert.ok(after.map(parse).some(({ name }) => name === 'exit'));
});

test('calls that are answered in the host: names, values, statuses', () => {
  const { calls, pids } = traced('1', 'basic.add(1.5, -2.25)');
  const parsed = calls.map(parse);
  assert.deepEqual(parsed.map(({ name, entry }) => [entry, name]), [
    [true, 'invoke'], [false, 'napi_get_cb_info'], [false, 'napi_get_value_double'], [false, 'napi_get_value_double'], [false, 'napi_create_double'],
  ]);
  assert.ok(parsed.every(({ pid }) => pid === pids.basic));
  assert.match(parsed[0].rest, /1\.5, -2\.25/);
  assert.match(parsed[2].rest, /1\.5.* = napi_ok .*1\.5/);
  assert.match(parsed[3].rest, /-2\.25.* = napi_ok .*-2\.25/);
  assert.match(parsed[4].rest, /-0\.75.* = napi_ok/);
});

test('calls that are posted: names, values, statuses', () => {
  const { calls } = traced('1', "basic.concat('left ', 'right')");
  const created = calls.map(parse).find(({ name }) => name.startsWith('napi_create_string'));
  assert.match(created.rest, /result=string#.* = napi_ok/);
});

test('calls that are waited for, with what failed', () => {
  const { calls } = traced('1', "try { basic.add('text', 1); } catch {}");
  const parsed = calls.map(parse);
  assert.ok(parsed.some(({ name, rest }) => name === 'napi_get_value_double' && / = napi_number_expected/.test(rest)), calls.join('\n'));
  assert.ok(parsed.some(({ name, rest }) => name === 'napi_throw_type_error' && /Numbers expected/.test(rest) && / = napi_ok/.test(rest)), calls.join('\n'));
});

test('nested entries are indented', () => {
  const { calls } = traced('1', 'callbacks.nest(3, function again(rest) { return callbacks.nest(rest, again); })');
  const entries = calls.map(parse).filter(({ entry }) => entry);
  assert.equal(entries.length, 4);
  const depths = entries.map(({ depth }) => depth);
  assert.deepEqual(depths, depths.map((_, i) => depths[0] + i * (depths[1] - depths[0])));
  assert.ok(depths[1] > depths[0]);
  const calling = calls.map(parse).filter(({ name }) => name === 'napi_call_function');
  assert.equal(calling.length, 3);
});

test('long values are cut, lines are whole', () => {
  const { calls } = traced('1', "basic.concat('x'.repeat(100000), 'y'.repeat(100000)); basic.identity(...Array(5000).fill('argument'))");
  for (const line of calls) {
    parse(line);
    assert.ok(line.length < 4096, `${line.length} characters`);
  }
});

test('text with newlines and NULs stays on one line', () => {
  const { calls } = traced('1', "basic.concat('a\\n[1]   napi_fake {} = napi_ok', '\\0\\u001b[31m')");
  for (const line of calls) {
    parse(line);
    assert.doesNotMatch(line, /[\0-\x1f\x7f]/); // eslint-disable-line no-control-regex
    assert.notEqual(parse(line).name, 'napi_fake');
  }
});

test('the server\'s view', () => {
  const { calls, loads, pids } = traced('server', PROGRAM);
  const parsed = calls.map(parse);
  assert.ok(parsed.every(({ server, pid }) => server && pid === pids.node));
  assert.ok(loads.map(parse).every(({ server }) => server));
  const names = new Set(parsed.map(({ name }) => name));
  assert.ok(names.has('invoke') && names.has('napi_create_string_utf16') && names.has('napi_call_function'));
  assert.ok(!names.has('napi_get_value_double'), 'what the host answers itself never gets here');
  assert.match(calls.find((line) => line.includes('napi_create_string_utf16')), /\(posted\).* = napi_ok/);
});

test('the server\'s view shows texts that travel along', () => {
  const { calls } = traced('server', "basic.concat('left ', 'right')");
  assert.match(calls.find((line) => line.includes('> invoke')), /"left "/);
});

test('both views', () => {
  const { calls, pids } = traced('both', 'basic.add(1, 2)');
  const invokes = calls.map(parse).filter(({ name }) => name === 'invoke');
  assert.deepEqual(invokes.map(({ server, pid }) => [server, pid]), [[true, pids.node], [false, pids.basic]]);
});

test('numbers, zero too, and booleans are shown', () => {
  const { calls } = traced('1', 'basic.add(0, 0); basic.identity(false);');
  const parsed = calls.map(parse);
  assert.match(parsed[0].rest, /values=\[.*, 0, 0\]/);
  assert.match(parsed[2].rest, /value=0\b.* = napi_ok \{result=0\}/);
  assert.match(parsed[4].rest, /value=0\b.* = napi_ok \{result=0\}/);
});

test('an external buffer that is told of in parts', () => {
  const { code, stderr } = run((kit) => {
    const { nominal } = kit.remote.load(kit.addonFile('external_memory'));
    if (nominal(2 ** 30).value[2 ** 29] !== 2) throw new Error('other bytes');
    process.exit();
  }, { env: { NAPI_REMOTE_TRACE: '1' } });
  assert.equal(code, 0, stderr);
  const [line] = stderr.split('\n').filter((text) => text.includes('napi_create_external_buffer'));
  assert.match(line, /\{length=1073741824, .*stretches=\[\{length=4096\}, \{offset=536870912, length=4096\}, /);
});
