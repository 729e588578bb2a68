'use strict';
// What the document of Node-API shows as an example or states as behaviour, section by section, done by an addon (tests/addons/documented_*.c).
const assert = require('node:assert/strict');
const { test } = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const { attempt, cases, turn } = require('./harness.js');
const { run } = require('./support/child.js');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');
async function collect(until) {
  for (let i = 0; i < 100 && !until(); i++) {
    gc();
    await turn();
  }
}

cases('documented_objects', {
  'object wrap: MyObject': ({ MyObject }) => {
    const object = new MyObject(10);
    const results = [
      object.plusOne(), object.plusOne(), object.plusOne(), object.multiply().value, object.multiply(10).value, object.multiply(-1).plusOne(),
      object.value,
    ];
    object.value = 20;
    return [results, object.value, object, object.myself === object, object instanceof MyObject, object.multiply(2) instanceof MyObject];
  },
  'object wrap: the class': ({ MyObject }) => [
    MyObject, MyObject.PI, MyObject.name, MyObject.length, Object.keys(MyObject), attempt(() => { MyObject.PI = 3; }),
    attempt(() => MyObject.create(5).value),
  ],
  'object wrap: a constructor that is called as a function': ({ MyObject }) => [
    MyObject(10).plusOne(), MyObject() instanceof MyObject, MyObject.call({}, 3).value, // eslint-disable-line new-cap
    [1, 2].map(MyObject).map(({ value }) => value),
  ],
  'object wrap: no number': ({ MyObject }) => [new MyObject().value, new MyObject(undefined).plusOne()],
  'object wrap: methods of what is not wrapped': ({ MyObject }) => {
    const { plusOne, multiply } = MyObject.prototype;
    return [{}, Object.create(MyObject.prototype), MyObject, undefined, 5].map((value) => [
      attempt(() => plusOne.call(value)), attempt(() => multiply.call(value, 2)), attempt(() => Reflect.get(MyObject.prototype, 'value', value)),
    ]);
  },
  'object wrap: a subclass': ({ MyObject }) => {
    class Sub extends MyObject {
      constructor(value) { super(value + 1); this.own = value; }
      plusOne() { return super.plusOne() * 100; }
    }
    const sub = new Sub(1);
    return [sub, sub.plusOne(), sub.value, sub.multiply(2) instanceof Sub, sub.myself === sub, Sub.create(7).value, Sub.create(7) instanceof Sub];
  },
  'object wrap: a factory of wrapped objects': ({ createObject }) => [
    createObject(10), createObject(10).plusOne(), createObject(20).multiply(3).value,
  ],
  'object wrap: passing wrapped objects around': ({ add, createObject, MyObject }) => [
    add(createObject(10), createObject(20)), add(new MyObject(0.5), MyObject(1)), // eslint-disable-line new-cap
    [[{}, createObject(1)], [createObject(1)], []].map((args) => attempt(() => add(...args))),
  ],
  'object wrap: napi_remove_wrap': ({ strip, MyObject }) => {
    const object = new MyObject(7);
    return [strip(object), attempt(() => object.plusOne()), strip(object), strip({}), object];
  },
  'object wrap: finalizers run, with instance data at hand': async ({ MyObject, counts }) => {
    const { destroyed } = counts();
    for (let i = 0; i < 10; i++) new MyObject(i).plusOne();
    await collect(() => counts().destroyed >= destroyed + 10);
    return counts().destroyed >= destroyed + 10;
  },
  'instance data counts from everywhere': ({ MyObject, counts }) => {
    const before = counts();
    const object = new MyObject(1);
    object.plusOne();
    object.multiply(2).plusOne();
    const after = counts();
    return [after.constructed - before.constructed, after.calls - before.calls];
  },
  'type tags: a bird is no house': ({ makeBird, makeHouse, tweet }) => [
    makeBird(), makeHouse(), {}, Object.create(makeBird()), new Proxy(makeBird(), {}), 1,
  ].map((animal) => attempt(() => tweet(animal))),
  'functions: a function factory': ({ createFunction }) => [createFunction(), createFunction()(), createFunction() === createFunction()],
  'objects: an object factory': ({ objectFactory }) => [
    objectFactory('hello'), objectFactory('world'), objectFactory(), Object.keys(objectFactory(1)),
  ],
  'properties: napi_define_properties': ({ defineFooBar }) => {
    const object = defineFooBar();
    object.foo = 124;
    return [object, attempt(() => { delete object.bar; return object; }), Object.keys(object), Object.assign(object, { jsProperty: 1 })];
  },
});

let scripts = 0;
cases('documented_values', {
  'errors: napi_get_last_error_info': ({ errorInfo }) => attempt(errorInfo),
  'errors: what can be called while one is pending': ({ cleanUpWhilePending }) => [
    cleanUpWhilePending(() => { throw new RangeError('pending'); }), cleanUpWhilePending(() => { throw undefined; }),
  ],
  'errors: taken, changed and thrown again': ({ rethrow }) => {
    const error = Object.assign(new TypeError('first'), { code: 'CODE' });
    return [rethrow(() => 1), attempt(() => rethrow(() => { throw error; })), error.seen, attempt(() => rethrow(() => { throw 'a string'; }))];
  },
  'typed arrays and data views that would not fit': ({ views }) => views(),
  'handle scopes: one for each turn of a loop': ({ sum }) => [sum([]), sum(Array.from({ length: 20_000 }, (_, value) => ({ value })))],
  'handle scopes: an exception inside': ({ sum }) => sum([{ value: 1 }, { get value() { return 2; } }]),
  'escapable scopes': ({ build }) => [0, 1, 5, 40].map((depth) => build(depth)),
  'references: kept beyond a call': async ({ keep, step }) => {
    keep({ kept: 1 });
    await turn();
    const first = keep({ kept: 2 });
    const counts = step([1, 1, -1, -1, 1]);
    return [first, counts, keep(undefined)];
  },
  'references: down to zero and below': ({ keep, step }) => {
    const object = {};
    keep(object);
    return [step([-1, -1, 1, -1]), keep(undefined) === object];
  },
  'functions: napi_call_function on a global one': ({ addTwo }) => {
    globalThis.AddTwo = function AddTwo(num) { return [num + 2, this === globalThis]; };
    try {
      return addTwo();
    } finally {
      delete globalThis.AddTwo;
    }
  },
  'functions: no such function': ({ addTwo }) => addTwo(),
  'functions: a callback': ({ runCallback }) => [
    runCallback((...args) => args, 5), attempt(() => runCallback(() => { throw new Error('thrown'); })), runCallback(async (text) => text.length),
  ],
  'properties: the examples': ({ properties }) => properties(),
  'promises: concluded at once': ({ promise }) => Promise.allSettled([
    promise(1, false, false), promise(new Error('no'), true, false), promise(promise('inner', false, false), false, false),
    promise({ then: (f) => f('thenable') }, false, false),
  ]),
  'promises: concluded later, before and after it is awaited': async ({ promise, conclude }) => {
    const log = [];
    const first = promise(undefined, false, true);
    first.then((value) => log.push(value));
    conclude('done', false);
    log.push('concluded');
    await turn();
    const second = promise(undefined, false, true);
    setImmediate(() => conclude(new RangeError('later'), true));
    return [log, first, await second.catch((error) => error)];
  },
  'promises: reactions run after the call': async ({ promise, runCallback }) => {
    const log = [];
    runCallback(() => { promise('value', false, false).then((value) => log.push(value)); log.push('in the call'); });
    log.push('after the call');
    await turn();
    return log;
  },
  'scripts: what is global afterwards': ({ script }) => {
    // The other side has a global object of the same kind: what is declared stays.
    const name = `documented${++scripts}`;
    const declared = script(`var ${name}Var = 1; let ${name}Let = 2; const ${name}Const = 3; function ${name}Function() {} this === globalThis`);
    const names = ['Var', 'Let', 'Const', 'Function'].map((kind) => `${name}${kind}`);
    return [
      declared, script(`[${names}].map((value) => typeof value)`), names.map((global) => Object.hasOwn(globalThis, global)),
      script(`let ${name}Var`).status,
    ];
  },
  'scripts: results and exceptions': ({ script }) => [
    '1 + 1', '"text"', '({ a: 1 })', 'function f() {}', '', 'throw new RangeError("thrown")', 'syntax error', 'nowhere',
    '(() => [this === globalThis, typeof require, typeof module])()',
  ].map((source) => script(source)),
  'scripts: what is no string': ({ script }) => [1, undefined, {}, Object('1')].map((source) => script(source)),
});

function compareRuns(program, args = []) {
  const inProcess = run(program, { args });
  const isolated = run(program, { args, isolated: true });
  return { inProcess, isolated };
}

test('cleanup on exit: hooks run in reverse order, without those that were removed', () => {
  const { inProcess, isolated } = compareRuns((kit) => kit.dlopen(kit.addonFile('documented_values')).hooks());
  assert.deepEqual(isolated, inProcess);
  assert.deepEqual(inProcess.stdout.match(/hook \w/g), ['hook b', 'hook c', 'hook a']);
});

// Node dies of it; isolated the host does, with the same words.
for (const args of [['place.c:1', 'the message', false], ['', '', false], ['location', 'message', true]]) {
  test(`napi_fatal_error says where and what: ${JSON.stringify(args)}`, () => {
    const { inProcess, isolated } = compareRuns((kit, ...what) => kit.dlopen(kit.addonFile('documented_values')).fatal(...what), args);
    const said = ({ stderr }) => stderr.match(/^FATAL ERROR: .*$/m)?.[0];
    assert.equal(inProcess.signal, 'SIGABRT');
    assert.ok(said(inProcess));
    assert.equal(said(isolated), said(inProcess));
    assert.equal(isolated.signal, null);
    assert.match(isolated.stderr, /ERR_NAPI_REMOTE_HOST_DIED/);
  });
}
