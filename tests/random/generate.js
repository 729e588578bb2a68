'use strict';
// Makes a program from a seed. A program is plain data:
//   { seed, version, bits, detaches, world: [numbers of world.js], functions: [{ bits, returns, calls: [{ name, bits, args }] }] }, each of args the words of
//   one parameter
// The first function is the root, which gets the world in its registers; the others are what callbacks run. It may be wrong in what Node
// checks, never in what Node does not survive: that is what exclusions.js lists.
const exclusions = require('./exclusions.js');
const pools = require('./pools.js');
const { kindOf, givenBy, wantedBy } = require('./kinds.js');
const { pend, pollute, recipes } = require('./recipes.js');
const world = require('./world.js');

const VALUES = 16, CALLBACKS = 6, SCOPES = 5;
const BITS = { shares: 1, finishes: 2 };
const FUNCTION_BITS = { takesArguments: 1, takesThis: 2, usesThis: 4 };
const CALL_BITS = { askLastError: 1, askNothing: 2, clear: 4, write: 8, mark: 16 };
const CONFIGURABLE = 4;

/** mulberry32: small, and the same everywhere. */
function randomFrom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  // Neighbouring seeds start alike.
  for (let i = 0; i < 4; i++) next();
  return {
    chance: (probability) => next() < probability,
    below: (limit) => Math.floor(next() * limit),
    pick: (list) => list[Math.floor(next() * list.length)],
  };
}

const range = (count) => Array.from({ length: count }, (_, i) => i);
/** By what a program may do: the texts, and where in a pool the numbers are. */
const textsFor = [false, true].map((shares) => [false, true].map((setsLength) => range(pools.texts.length).filter(
  (i) => (shares || !pools.isShared(i)) && (setsLength || !pools.isLength(i)))));
const places = (pool) => [range(pool.length), range(pool.length).filter((i) => !pools.isLarge(Number(pool[i])))];
const doubles = places(pools.doubles), int64s = places(pools.int64s);
const smallInt32s = pools.int32s.filter((value) => value >= 0 && !pools.isLarge(value));

/** These do not get what is there by a name. */
const NAMES_ONLY = /^napi_(set_named|has_named|define_|throw)|^node_api_throw/;
/** What `find` says of a parameter, which it looks for by patterns. */
function remembering(find) {
  const known = new WeakMap();
  return (f, p) => {
    let found = known.get(p);
    if (found === undefined) known.set(p, found = find(f.name, p.name));
    return found;
  };
}
const wantedOf = remembering(wantedBy), givenOf = remembering(givenBy);

const isUnwrap = (name) => name === 'napi_unwrap' || name === 'napi_remove_wrap';

/** How often a function is chosen, against 1. */
const WEIGHTS = {
  napi_call_function: 12, napi_new_instance: 5, napi_create_function: 3, napi_define_class: 2, napi_define_properties: 2, napi_wrap: 2, napi_set_property: 3,
  napi_get_property: 3, napi_set_named_property: 3, napi_get_named_property: 3, napi_open_handle_scope: 2, napi_open_escapable_handle_scope: 2,
  napi_create_reference: 2, napi_unwrap: 2, napi_remove_wrap: 2, napi_escape_handle: 4, napi_close_handle_scope: 2, napi_close_escapable_handle_scope: 2,
  napi_resolve_deferred: 3, napi_reject_deferred: 3, napi_run_script: 2, napi_get_value_external: 2, napi_detach_arraybuffer: 4, napi_create_typedarray: 2,
  napi_get_typedarray_info: 2, napi_get_arraybuffer_info: 2, napi_get_dataview_info: 2, napi_get_buffer_info: 2, napi_reference_unref: 2,
  napi_delete_reference: 2, napi_get_reference_value: 2, napi_get_and_clear_last_exception: 0.5, napi_throw: 0.5, napi_throw_error: 0.3, napi_throw_type_error: 0.3,
  napi_throw_range_error: 0.3, node_api_throw_syntax_error: 0.3, napi_get_node_version: 0.2, napi_get_version: 0.2, node_api_get_module_file_name: 0.2,
};

/** Each function as often as it is to be chosen, by what a program may do. Kept: there are few sorts of programs. */
const choicesFor = new Map();
function choose(key, functions, isAllowed) {
  let choices = choicesFor.get(key);
  if (choices === undefined) {
    const allowed = functions.filter(({ name }) => isAllowed(name));
    const list = allowed.flatMap((f) => Array(Math.round((WEIGHTS[f.name] ?? 1) * 10)).fill(f));
    choices = { list, byName: new Map(allowed.map((f) => [f.name, f])) };
    choicesFor.set(key, choices);
  }
  return choices;
}

class Generator {
  constructor(seed, functions, lacking, versions) {
    this.random = randomFrom(seed);
    const { random } = this;
    this.program = { seed, version: random.pick(versions), bits: 0, detaches: random.chance(0.15), world: [], functions: [] };
    this.shares = random.chance(0.12);
    this.setsLength = random.chance(0.25);
    this.names = textsFor[1][Number(this.setsLength)];
    this.wides = range(pools.wides.length).filter((i) => this.setsLength || pools.wides[i] !== 'length');
    this.texts = textsFor[Number(this.shares)][Number(this.setsLength)];
    // The same names again and again, so that what is set is also asked for.
    this.favourites = [0, 1, random.pick(this.texts), random.pick(this.texts)];
    this.marks = random.chance(0.1);
    if (this.shares) this.program.bits |= BITS.shares;
    if (random.chance(0.6)) this.program.bits |= BITS.finishes;
    this.choices = choose(`${this.shares} ${this.program.detaches}`, functions, (name) => !lacking.has(name) && this.isAllowed(name));
  }

  isAllowed(name) {
    if (name === 'napi_detach_arraybuffer') return this.program.detaches;
    if (this.shares) return !exclusions.notOnShared.has(name);
    return name !== 'napi_get_global' && name !== 'napi_get_prototype';
  }

  run() {
    const { random, program } = this;
    const items = world.choices({ shares: this.shares, detaches: program.detaches, setsLength: this.setsLength });
    program.world = range(VALUES).map(() => random.pick(items));
    this.references = 0;
    this.deferreds = 0;
    this.callbacks = 1 + random.below(3) + (random.chance(0.3) ? 2 : 0);
    for (let i = 0; i <= this.callbacks; i++) program.functions.push(this.makeFunction(i === 0));
    return program;
  }

  makeFunction(root) {
    const { random, program } = this;
    // What each register probably holds; null: nothing.
    this.kinds = root ? program.world.map(world.kindOf) : Array(VALUES).fill(null);
    this.scopes = [];
    this.wrapped = new Set();
    const made = { bits: 0, returns: random.chance(0.7) ? random.below(VALUES) : -1, calls: [] };
    if (!root && random.chance(0.85)) {
      made.bits |= FUNCTION_BITS.takesArguments;
      this.kinds.fill('any', 0, 4);
    }
    if (!root && random.chance(0.7)) {
      made.bits |= FUNCTION_BITS.takesThis;
      this.kinds[4] = 'object';
    }
    const count = root ? 4 + random.below(30) : random.below(10);
    while (made.calls.length < count) {
      if (random.chance(0.08)) made.calls.push(...this.makeSequence(root));
      else made.calls.push(this.makeCall(root));
    }
    if (made.calls.some(({ name }) => name === 'napi_get_cb_info')) made.bits |= FUNCTION_BITS.usesThis;
    return made;
  }

  /** A function for which there is something to call it with, most of the time. */
  chooseUseful() {
    for (let attempt = 0; ; attempt++) {
      const f = this.random.pick(this.choices.list);
      if (attempt === 4 || this.random.chance(0.1) || f.parameters.every((p) => this.isUseful(f, p))) return f;
    }
  }

  isUseful(f, p) {
    if (p.kind === 'scope') return this.scopes.at(-1) === 'plain';
    if (p.kind === 'escapable') return f.name.startsWith('napi_close') ? this.scopes.at(-1) === 'escapable' : this.scopes.includes('escapable');
    if (p.kind === 'ref') return this.references > 0;
    if (p.kind === 'deferred') return this.deferreds > 0;
    if (isUnwrap(f.name) && p.kind === 'value') return this.wrapped.size > 0;
    if (p.kind === 'newScope' || p.kind === 'newEscapable') return this.scopes.length < SCOPES;
    if (p.kind !== 'value') return true;
    return this.has(wantedOf(f, p));
  }

  makePseudo(name) {
    const { random } = this;
    const words = { inspect: [], poke: [4, 200_000, 256], peek: [4] }[name];
    return { name, bits: 0, args: words.map((limit) => [random.below(limit)]) };
  }

  makeCall(root) {
    const { random, program } = this;
    if (random.chance(0.02)) return this.makePseudo('inspect');
    // A native address is only good while nothing is detached.
    if (!program.detaches && random.chance(0.06)) return this.makePseudo(random.pick(['poke', 'peek']));
    return this.complete(this.chooseUseful(), {}, root);
  }

  /** A call of which some operands are fixed. */
  complete(f, fixed, root, clears = this.random.chance(0.8)) {
    const { random } = this;
    const args = f.parameters.map((p) => (Object.hasOwn(fixed, p.name) ? [fixed[p.name]].flat() : this.makeArgument(f, p, root)));
    let bits = 0;
    if (random.chance(0.2)) bits |= CALL_BITS.askLastError;
    if (random.chance(0.08)) bits |= CALL_BITS.askNothing;
    if (clears) bits |= CALL_BITS.clear | random.below(VALUES) << 8;
    if (random.chance(0.4)) bits |= CALL_BITS.write;
    if (this.marks) bits |= CALL_BITS.mark;
    this.follow(f, args);
    return { name: f.name, bits, args };
  }

  makeSequence(root) {
    const { random, program } = this;
    const recipe = this.shares && random.chance(0.3) ? pollute : random.pick(recipes);
    const registers = Array.from({ length: 3 }, () => random.below(VALUES));
    const steps = recipe({ random, registers, text: () => random.pick(this.texts), callback: () => random.below(CALLBACKS) });
    return steps.flatMap(([name, fixed = {}]) => {
      if (name === 'poke' || name === 'peek') return program.detaches ? [] : [this.makePseudo(name)];
      const f = name === null ? random.pick(this.choices.list) : this.choices.byName.get(name);
      return f === undefined ? [] : [this.complete(f, fixed, root, recipe !== pend && random.chance(0.8))];
    });
  }

  /** What the call probably does to the registers and scopes. */
  follow(f, args) {
    f.parameters.forEach((p, i) => {
      if (p.kind === 'result' && args[i][0] >= 0) {
        this.kinds[args[i][0]] = givenOf(f, p);
        this.wrapped.delete(args[i][0]);
      }
      if (p.kind === 'newRef' && args[i][0] >= 0) this.references++;
      if (p.kind === 'newDeferred' && args[i][0] >= 0) this.deferreds++;
      if (p.kind === 'deferred') this.deferreds--;
      if (p.kind === 'newScope' && args[i][0] >= 0 && this.scopes.length < SCOPES) this.scopes.push('plain');
      if (p.kind === 'newEscapable' && args[i][0] >= 0 && this.scopes.length < SCOPES) this.scopes.push('escapable');
    });
    if (f.name === 'napi_wrap' && args[1][0] >= 0 && args[1][0] < VALUES) this.wrapped.add(args[1][0]);
    if (f.name === 'napi_delete_reference') this.references--;
    if (f.name === 'napi_close_handle_scope' && this.scopes.at(-1) === 'plain') this.scopes.pop();
    if (f.name === 'napi_close_escapable_handle_scope' && this.scopes.at(-1) === 'escapable') this.scopes.pop();
  }

  register(wanted, root) {
    const { random } = this;
    if (!root && random.chance(0.1)) return VALUES + random.below(VALUES);
    if (wanted !== null && random.chance(0.93)) {
      const start = random.below(VALUES);
      for (let i = 0; i < VALUES; i++) {
        const place = (start + i) % VALUES;
        if (this.kinds[place] !== null && kindOf(this.kinds[place], wanted)) return place;
      }
    }
    // The interpreter takes another one when nothing is there.
    return random.below(VALUES);
  }

  has(wanted) {
    for (let i = 0; i < VALUES; i++) if (this.kinds[i] !== null && (wanted === null || kindOf(this.kinds[i], wanted))) return true;
    return false;
  }

  makeText(f) {
    const { random } = this;
    const own = NAMES_ONLY.test(f.name);
    if (random.chance(0.5)) return random.pick(this.favourites);
    return random.pick(own ? this.names : this.texts);
  }

  makeArgument(f, p, root) {
    const { random } = this;
    const isNull = !p.neverNull && random.chance(p.kind === 'env' ? 0.004 : 0.025);
    const make = MAKE[p.kind];
    return make(this, { f, p, root, isNull, random });
  }

  makeDescriptor(f, root) {
    const { random } = this;
    const function_ = (probability) => (random.chance(probability) ? random.below(CALLBACKS) : -1);
    const named = random.chance(0.7);
    let attributes = random.chance(0.9) ? random.below(8) | (random.chance(0.3) ? 1024 : 0) : random.below(2048);
    if (this.shares) attributes |= CONFIGURABLE;
    const sort = random.below(4);
    return [
      named ? this.makeText(f) : -1, named ? 0 : this.register(['string', 'symbol'], root),
      function_(sort === 0 ? 1 : 0.05), function_(sort === 1 ? 0.8 : 0.05), function_(sort === 1 ? 0.6 : 0.05),
      sort < 2 && random.chance(0.5) ? -1 : this.register(random.chance(0.5) ? ['number', 'string', 'boolean'] : null, root),
      attributes, random.below(17) - 1,
    ];
  }

  makeSize(f, name, odd) {
    const { random } = this;
    const creates = f.name.includes('create_');
    const ofView = /typedarray|dataview|from_arraybuffer/.test(f.name);
    if (ofView && !odd) return random.pick(name.includes('offset') ? [0, 0, 0, 1, 8, 16] : [0, 1, 1, 2, 3, 8]);
    if (/buffer$/.test(f.name) && !name.includes('offset') && random.chance(0.02)) return random.pick(pools.largeSizes);
    // Memory of such a size is there or not; arrays of such a length end the process.
    return odd && (ofView || !creates) ? -1 - random.below(pools.specialSizes.length) : random.pick(pools.sizes);
  }

  makeScalar(f, { type, name }) {
    const { random } = this;
    const odd = random.chance(0.05);
    const int32s = this.setsLength ? smallInt32s : pools.int32s;
    switch (type) {
      case 'double': return random.pick(doubles[Number(this.setsLength)]);
      case 'int64_t': return name.startsWith('change') ? random.below(pools.changes.length) : random.pick(int64s[Number(this.setsLength)]);
      case 'uint64_t': return random.below(pools.uint64s.length);
      case 'bool': case 'int': return random.below(2);
      // An array of a length beyond these would end the process.
      case 'size_t': return this.makeSize(f, name, odd);
      case 'napi_typedarray_type': return odd ? random.pick([-1, 12, 99]) : random.below(12);
      case 'napi_key_collection_mode': case 'napi_key_conversion': return odd ? random.pick([-1, 2]) : random.below(2);
      case 'napi_key_filter': return random.below(odd ? 128 : 32);
      case 'uint32_t': return random.pick(name === 'index' ? pools.indices : name.includes('refcount') ? pools.counts : int32s);
      default: return random.pick(int32s);
    }
  }
}

const nullOr = (make) => (g, about) => (about.isNull ? [-1] : [make(g, about)]);
const number = (limit) => nullOr((g, { random }) => random.below(limit));

/** kind → the words of one such parameter. */
const MAKE = {
  env: (g, { isNull }) => [isNull ? 1 : 0],
  value: nullOr((g, { f, p, root, random }) => {
    if (isUnwrap(f.name) && g.wrapped.size > 0 && random.chance(0.8)) return random.pick([...g.wrapped]);
    return g.register(wantedOf(f, p), root);
  }),
  result: number(VALUES),
  text: (g, { f, isNull, random }) => [isNull ? -1 : g.makeText(f), random.chance(0.6) ? 0 : random.below(pools.LENGTH_MODES)],
  text16: (g, { isNull, random }) => [isNull ? -1 : random.pick(g.wides), random.chance(0.6) ? 0 : random.below(pools.LENGTH_MODES)],
  cstring: (g, { isNull, random, f }) => [isNull || (f.name.includes('throw') && random.chance(0.2)) ? -1 : g.makeText(f)],
  buffer8: (g, { random }) => [random.chance(0.25) ? 0 : 1, random.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 16, 64, 300, 400, 500])],
  values: (g, { isNull, random, root }) => {
    const count = random.chance(0.7) ? random.below(4) : random.below(random.chance(0.2) ? 24 : 9);
    return isNull || (count === 0 && random.chance(0.5)) ? [count, 0] : [count, 1, ...range(count).map(() => g.register(null, root))];
  },
  pairs: (g, { isNull, random, root }) => {
    const count = random.below(5);
    if (isNull || (count === 0 && random.chance(0.5))) return [count, 0];
    return [count, 1, ...range(count).map(() => g.register(['string', 'symbol'], root)), ...range(count).map(() => g.register(null, root))];
  },
  descriptors: (g, { f, isNull, random, root }) => {
    const count = random.below(5);
    return isNull || (count === 0 && random.chance(0.5)) ? [count, 0] : [count, 1, ...range(count).flatMap(() => g.makeDescriptor(f, root))];
  },
  args: (g, { random }) => [random.chance(0.05) ? -1 : random.below(random.chance(0.1) ? 24 : 9), random.chance(0.3) ? -1 : random.below(VALUES)],
  wordsIn: (g, { isNull, random }) => {
    const first = random.below(4);
    return [random.chance(0.05) ? -1 - random.below(pools.specialCounts.length) : random.below(5), isNull ? -1 : first];
  },
  wordsOut: (g, { isNull, random }) => [isNull ? -1 : random.below(7), random.chance(0.2) ? 1 : 0],
  bytes: (g, { isNull, random }) => [random.pick([0, 1, 3, 8, 16, 70, 200]), isNull ? 0 : 1],
  lentBytes: (g, { random }) => [random.pick([0, 1, 8, 16, 24, 100])],
  callback: number(CALLBACKS),
  finalizer: (g, { random }) => [random.chance(0.2) ? -1 : 0],
  token: (g, { random }) => [random.chance(0.4) ? -2 : random.below(17) - 1],
  ref: number(6),
  newRef: (g, { random }) => [random.chance(0.3) ? -1 : random.below(6)],
  deferred: (g, { random }) => [random.below(4)],
  newDeferred: number(4),
  scope: number(1),
  newScope: number(1),
  escapable: number(2),
  newEscapable: number(1),
  info: nullOr((g, { random }) => (random.chance(0.1) ? 1 : 0)),
  tag: number(pools.tags.length),
  out: (g, { isNull }) => [isNull ? 1 : 0],
  scalar: (g, { f, p }) => [g.makeScalar(f, p)],
};
MAKE.buffer16 = MAKE.buffer8;
MAKE.lent8 = MAKE.text;
MAKE.lent16 = MAKE.text16;
for (const kind of ['pointer', 'errorInfo', 'nodeVersion', 'fileName']) MAKE[kind] = MAKE.out;
// What a fresh Buffer holds is nobody's business, so it is always looked up and overwritten.
MAKE.memory = (g, { isNull, f }) => [isNull && f.name !== 'napi_create_buffer' ? 1 : 0];

/** The program of a seed. lacking: functions that this Node does not have; versions: those of Node-API that it has, by their numbers in encode.js. */
function generate(seed, functions, lacking, versions) {
  return new Generator(seed, functions, lacking, versions).run();
}

module.exports = { generate, BITS, CALL_BITS, CALLBACKS, VALUES };
