'use strict';
// Hosts that die, stand still or send garbage at chosen frames of a workload (tests/faults): an error with a code or nothing at all, and Node and the other
// addons go on. `node tests/faults/run.js --all` does it at every frame.
const assert = require('node:assert/strict');
const { before, test } = require('node:test');
const { allPoints, choose, countFrames, runPoints } = require('../faults/points.js');

const POINTS = 300;
const SEED = Number(process.env.NAPI_REMOTE_FAULTS_SEED ?? 1);

/** NR_KIND_RETURN and the opcode of `invoke`. */
const RETURN = 5;
const INVOKE = 0x302;

let counts;
before(async () => { counts = await countFrames(); });

test(`${POINTS} faults in one process, seed ${SEED}: each is an error with a code, or harmless`, async () => {
  const ended = [];
  await runPoints(choose(allPoints(counts, SEED), POINTS, SEED), (point) => ended.push(point));
  const failures = ended.filter((point) => point.failure !== undefined);
  assert.deepEqual(failures.map(({ scene, mode, frame, seed, failure }) => `--scene ${scene} --mode ${mode} --frame ${frame} --seed ${seed}: ${failure}`), []);
  // The first points bring what is made once: a tracker of writes, a Worker's loop.
  const [{ resources: early }, { resources: late }] = [ended[50], ended.at(-1)];
  assert.ok(late.descriptors <= early.descriptors + 4, `${early.descriptors} descriptors became ${late.descriptors}`);
  assert.ok(late.mappings <= early.mappings + 40, `${early.mappings} shared mappings became ${late.mappings}`);
  const reached = ended.filter((point) => point.fired);
  assert.ok(reached.length > POINTS * 0.9, `${reached.length} frames were reached`);
  const codes = new Set(reached.flatMap((point) => point.codes));
  // Of a handshake, and of objects of a host that was restarted, if such points are among them.
  for (const code of ['ERR_NAPI_REMOTE_LAUNCH', 'ERR_NAPI_REMOTE_GONE']) codes.delete(code);
  assert.deepEqual([...codes].sort(), ['ERR_NAPI_REMOTE_HOST_DIED', 'ERR_NAPI_REMOTE_PROTOCOL']);
});

test('faults in the handshake, and in the answers to threads that join', async () => {
  const points = allPoints({ joining: 0 }, SEED);
  const failures = [];
  const codes = new Set();
  await runPoints(choose(points, 40, SEED), (point) => {
    if (point.failure !== undefined) failures.push(point);
    for (const code of point.codes ?? []) codes.add(code);
  });
  assert.deepEqual(failures, []);
  assert.deepEqual([...codes].sort(), ['ERR_NAPI_REMOTE_HOST_DIED', 'ERR_NAPI_REMOTE_LAUNCH']);
});

test('an answer to a thread that joins which is not the one to its question ends the host at once', async () => {
  const points = [];
  for (const frame of [2, 3]) {
    for (let seed = 1; seed <= 48; seed++) points.push({ scene: 'joining', mode: 'socketNumbers', frame, seed });
  }
  const ended = [];
  await runPoints(points, (point) => ended.push(point));
  assert.deepEqual(ended.filter(({ failure }) => failure !== undefined), []);
  assert.deepEqual(ended.filter(({ fired }) => !fired), []);
});

async function codesOf(points, isMeant) {
  const codes = [];
  await runPoints(points, (point) => {
    assert.equal(point.failure, undefined);
    if (point.fired && isMeant(point)) codes.push(...(point.codes.length === 0 ? ['no error'] : point.codes));
  });
  return codes;
}

function everyFrame(scene, mode) {
  return allPoints({ [scene]: counts[scene] }, SEED).filter((point) => point.mode === mode);
}

for (const mode of ['reserved', 'commit', 'depth', 'status']) {
  test(`a wrong ${mode} in any frame ends the host, and the error says why`, async () => {
    const isMeant = ({ kind }) => mode !== 'status' || kind !== RETURN;
    assert.deepEqual([...new Set(await codesOf(everyFrame('nested', mode), isMeant))], ['ERR_NAPI_REMOTE_PROTOCOL']);
  });
}

test('a callback that returns what is no value: no undefined, but an error', async () => {
  const codes = await codesOf(everyFrame('calls', 'nonsense'), ({ kind, opcode }) => kind === RETURN && opcode === INVOKE);
  // One of them throws: then Node does not look at what is returned, and the host dies later.
  assert.ok(codes.length > 5);
  assert.deepEqual([...new Set(codes)].sort(), ['ERR_NAPI_REMOTE_HOST_DIED', 'ERR_NAPI_REMOTE_PROTOCOL']);
  assert.equal(codes.filter((code) => code === 'ERR_NAPI_REMOTE_HOST_DIED').length, 1);
});
