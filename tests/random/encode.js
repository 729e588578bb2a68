'use strict';
// Programs in the two forms that they have outside of the generator: words for the interpreter, lines for a reader.
const pools = require('./pools.js');
const world = require('./world.js');
const { BITS, CALL_BITS, VALUES } = require('./generate.js');

const PSEUDO = { inspect: 1000, poke: 1001, peek: 1002 };
const VERSIONS = ['8', '10', 'experimental'];

/** Appends the words of a program; `numbers`: name of a function → its number in the interpreter. */
function encode(program, numbers, words) {
  const start = words.length;
  words.push(program.bits, program.functions.length);
  const places = words.length;
  for (let i = 0; i < program.functions.length; i++) words.push(0);
  program.functions.forEach(({ bits, returns, calls }, i) => {
    words[places + i] = words.length - start;
    words.push(bits, returns, calls.length);
    for (const call of calls) {
      words.push(numbers.get(call.name) ?? PSEUDO[call.name] ?? -1, call.bits, 0);
      const before = words.length;
      for (const arg of call.args) words.push(...arg);
      words[before - 1] = words.length - before;
    }
  });
}

/** Many programs, or nulls where there is none, as the bytes that load() takes. */
function encodeBatch(programs, numbers) {
  const words = [programs.length, ...programs.map(() => 0)];
  programs.forEach((program, i) => {
    words[1 + i] = words.length;
    if (program !== null) encode(program, numbers, words);
  });
  return Buffer.from(Int32Array.from(words).buffer);
}

// ---- for reading

const register = (word) => (word < 0 ? 'NULL' : word >= VALUES ? `outer v${word - VALUES}` : `v${word}`);
const quoted = (index) => (index < 0 ? 'NULL' : JSON.stringify(Buffer.from(pools.texts[index]).toString('latin1').replaceAll('\0', '\\0')));
const lengths = ['NAPI_AUTO_LENGTH', 'all', '0', 'all but one', 'INT_MAX + 1'];
const numbered = (name) => ([word]) => (word < 0 ? 'NULL' : `${name}${word}`);
const output = (name) => ([word]) => (word < 0 ? 'NULL' : `&${name}${word}`);
const plainOut = ([word]) => (word === 0 ? '&out' : 'NULL');
const token = (word) => (word === -1 ? 'NULL' : word === -2 ? 'fresh' : `t${word}`);
const registers = (words) => `{${words.map(register).join(', ')}}`;

function descriptor([text, name, method, getter, setter, value, attributes, data]) {
  const parts = [text >= 0 ? quoted(text) : register(name)];
  for (const [what, number] of Object.entries({ method, getter, setter })) if (number >= 0) parts.push(`${what} function${number}`);
  parts.push(`value ${register(value)}`, `attributes ${attributes}`, `data ${token(data)}`);
  return `{${parts.join(', ')}}`;
}

function list(words, size, one) {
  const [count, present, ...rest] = words;
  if (!present) return `${count}, NULL`;
  const parts = Array.from({ length: count }, (_, i) => one(rest.slice(i * size, (i + 1) * size)));
  return `${count}, {${parts.join(', ')}}`;
}

function scalar([word], { type, name }) {
  switch (type) {
    case 'double': return Object.is(pools.doubles[word], -0) ? '-0' : String(pools.doubles[word]);
    case 'int64_t': return String((name.startsWith('change') ? pools.changes : pools.int64s)[word]);
    case 'uint64_t': return String(pools.uint64s[word]);
    case 'uint32_t': return String(word >>> 0);
    case 'size_t': return String(word < 0 ? pools.specialSizes[-1 - word] : word);
    case 'bool': return String(word !== 0);
    default: return String(word);
  }
}

const FORMAT = {
  env: ([word]) => (word === 0 ? 'env' : 'NULL'),
  value: ([word]) => register(word),
  result: output('v'),
  text: ([text, length]) => `${quoted(text)}, ${lengths[length]}`,
  text16: ([text, length]) => `${text < 0 ? 'NULL' : `u${JSON.stringify(pools.wides[text])}`}, ${lengths[length]}`,
  cstring: ([text]) => quoted(text),
  buffer8: ([present, size]) => `${present ? 'buf' : 'NULL'}, ${size}`,
  values: (words) => list(words, 1, ([word]) => register(word)),
  pairs: ([count, present, ...rest]) => (present ? `${registers(rest.slice(0, count))}, ${registers(rest.slice(count))}, ${count}` : `NULL, NULL, ${count}`),
  descriptors: (words) => list(words, 8, descriptor),
  args: ([count, place]) => `${count < 0 ? 'NULL' : `&argc = ${count}`}, ${place < 0 ? 'NULL' : `&v${place}...`}`,
  wordsIn: ([count, first]) => `${count < 0 ? pools.specialCounts[-1 - count] : count}, ${first < 0 ? 'NULL' : `words + ${first}`}`,
  wordsOut: ([count, unwanted]) => `${count < 0 ? 'NULL' : `&count = ${count}`}, ${unwanted ? 'NULL' : 'words'}`,
  bytes: ([size, present]) => `${size}, ${present || size ? 'bytes' : 'NULL'}`,
  lentBytes: ([size]) => `${size} lent bytes`,
  callback: numbered('function'),
  finalizer: ([word]) => (word < 0 ? 'NULL' : 'finalize'),
  token: ([word]) => token(word),
  ref: numbered('ref'),
  newRef: output('ref'),
  deferred: numbered('deferred'),
  newDeferred: output('deferred'),
  scope: ([word]) => (word < 0 ? 'NULL' : 'scope'),
  newScope: ([word]) => (word < 0 ? 'NULL' : '&scope'),
  escapable: ([word]) => (word < 0 ? 'NULL' : `scope ${word} from within`),
  info: ([word]) => (word < 0 ? 'NULL' : word === 1 ? 'outer info' : 'info'),
  tag: numbered('&tag'),
  scalar,
};
FORMAT.buffer16 = FORMAT.buffer8;
FORMAT.lent8 = FORMAT.text;
FORMAT.lent16 = FORMAT.text16;
FORMAT.newEscapable = FORMAT.newScope;
for (const kind of ['out', 'pointer', 'memory', 'errorInfo', 'nodeVersion', 'fileName']) FORMAT[kind] = plainOut;

function formatCall({ name, bits, args }, plans) {
  const plan = plans.get(name);
  const operands = plan ? plan.parameters.map((p, i) => FORMAT[p.kind](args[i], p)) : args.flat();
  const notes = [];
  if (bits & CALL_BITS.askLastError) notes.push('last error');
  if (bits & CALL_BITS.askNothing) notes.push('no look for exceptions');
  if (bits & CALL_BITS.clear) notes.push(`clear into v${bits >> 8}`);
  if (bits & CALL_BITS.write && plan?.parameters.some(({ kind }) => kind === 'memory')) notes.push('write');
  return `  ${name}(${operands.join(', ')})${notes.length > 0 ? `   // ${notes.join(', ')}` : ''}`;
}

/** A program in lines; `functions`: the plans of all. */
function format(program, functions) {
  const plans = new Map(functions.map((f) => [f.name, f]));
  const bits = [program.bits & BITS.shares && 'may hold shared objects', program.bits & BITS.finishes && 'shows all at the end'];
  const lines = [[`seed ${program.seed}`, `declares version ${VERSIONS[program.version]}`, ...bits.filter(Boolean)].join(', ')];
  program.world.forEach((number, i) => {
    if (number !== 0) lines.push(`  v${i} is ${world.nameOf(number)}`);
  });
  program.functions.forEach((one, i) => {
    if (i > 0 && one.calls.length === 0 && one.returns < 0) return;
    const takes = [one.bits & 1 && 'v0 to v3 are arguments', one.bits & 2 && 'v4 is this'].filter(Boolean);
    lines.push(`${i === 0 ? 'root' : `function${i - 1}`}:${takes.length > 0 ? `   // ${takes.join(', ')}` : ''}`);
    lines.push(...one.calls.map((call) => formatCall(call, plans)));
    if (one.returns >= 0) lines.push(`  return v${one.returns}`);
  });
  return lines;
}

module.exports = { encodeBatch, format, VERSIONS };
