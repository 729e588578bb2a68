'use strict';
// What functions and constructors of an addon are told, by whomever they are called, and classes with every kind of member.
const { attempt, cases, turn } = require('./harness.js');
const { test } = require('node:test');
const { compare } = require('./harness.js');

const values = () => [
  undefined, null, true, -0, NaN, 'text', '', 10n, Symbol.for('s'), {}, [1], () => 1, new Date(3), new Proxy({}, {}), Object.create(null),
];
const list = (count) => Array.from({ length: count }, (_, i) => (i % 5 === 0 ? { i } : i % 5 === 1 ? `argument ${i}` : i));

const counts = [0, 1, 5, 6, 7, 8, 9, 31, 32, 33, 100, 10_000];
for (const places of [0, 1, 6, 7, 10_000]) {
  test(`${places} places for ${counts.join(', ')} arguments`, (t) => compare(t, 'arguments', ({ taker }) => {
    const take = taker(places);
    return counts.map((count) => take.apply({ count }, list(count)));
  }));
}
test('arguments that go out', (t) => compare(t, 'arguments', ({ pass }) => counts.map((count) => [
  pass((...args) => args.length, count), pass((...args) => args.slice(-3), count),
  pass(function f() { return arguments[5]; }, count), // eslint-disable-line prefer-rest-params
])));
test('arguments that come back in', (t) => compare(t, 'arguments', ({ pass, taker }) => counts.map((count) => pass(taker(7), count))));

/** Every attribute with every kind of member, of the class and of its instances. */
const kinds = ['method', 'getter', 'setter', 'accessor', 'value'];
const STATIC = 1024;
const members = kinds.flatMap((kind) => [0, STATIC].flatMap((where) => Array.from({ length: 8 }, (_, attributes) => ({
  name: `${kind}${attributes}${where ? 'Static' : ''}`, kind, attributes: attributes | where, value: `${kind} ${attributes}`,
}))));

function use(object, names) {
  return names.map((name) => {
    const results = [
      attempt(() => object[name]), attempt(() => object[name]('argument')), attempt(() => { object[name] = 'set'; }),
      attempt(() => delete object[name]), Object.hasOwn(object, name),
    ];
    return [name, results];
  });
}

cases('arguments', {
  'one part at a time': ({ parts }) => [
    parts(), parts(1), parts(1, 2, 3), parts(1, 2, 3, 4), parts.call('self', ...values()), parts.call(undefined), new parts(1),
  ], // eslint-disable-line new-cap
  'each value as argument and as this': ({ taker }) => {
    const take = taker(3);
    return values().map((value) => {
      const result = take.call(value, value, value);
      return [result, Object.is(result.argv[0], value), Object.is(result.self, value)];
    });
  },
  'the same object many times': ({ taker }) => {
    const object = {};
    const { argv } = taker(40)(...Array(40).fill(object));
    return argv.slice(0, 40).every((argument) => argument === object);
  },
  'new.target of a class': ({ constructor }) => {
    const Class = constructor();
    class Sub extends Class {}
    class SubSub extends Sub { constructor(...args) { super(...args); this.newTarget = new.target; } }
    function Old() {}
    return [
      new Class(), new Sub(), new SubSub(), Reflect.construct(Class, [], Old), Reflect.construct(Sub, [], Array),
      Reflect.construct(Class, [], Class) instanceof Class, attempt(() => Class.call(new Class())),
    ]
      .map((result) => [
        result, result.target === Class, result.target === Sub, result.target === SubSub, result.target === Old, result.target === Array,
      ]);
  },
  'new.target of a function': ({ parts }) => {
    class Sub extends parts {}
    return [
      parts()[7], new parts()[7] === parts, new Sub()[7] === Sub, Reflect.construct(parts, [], Object)[7] === Object,
      new (parts.bind(null))()[7] === parts, new (new Proxy(parts, {}))()[7] === parts,
    ]; // eslint-disable-line new-cap
  },
  'constructors that throw': ({ constructor }) => {
    const Class = constructor();
    class Sub extends Class { constructor(...args) { super(...args); this.never = 1; } }
    return [Class, Sub].map((Of) => [
      ...values().map((value) => {
        const { thrown } = attempt(() => new Of('throw', value));
        return [thrown, Object.is(thrown, value)];
      }),
      attempt(() => new Of('throw and return')), attempt(() => new Of('throw, wrapped')),
    ]);
  },
  'constructors that return something else': ({ constructor }) => {
    const Class = constructor();
    class Sub extends Class { own = 'own'; }
    return [Class, Sub].map((Of) => [...values().map((value) => {
      const { value: result, thrown } = attempt(() => new Of('return', value));
      return [typeof result, result === value, result instanceof Of, thrown, attempt(() => result.own)];
    }), new Of('return nothing')]);
  },
  'constructors that call JavaScript': ({ constructor }) => {
    const Class = constructor();
    const log = [];
    const object = new Class('call', function initialise() { this.initialised = true; log.push(this instanceof Class); });
    return [
      object, log, attempt(() => new Class('call', () => { throw new RangeError('from inside'); })),
      attempt(() => new Class('call', () => new Class('throw', 'nested'))),
    ];
  },
  'a class with every kind of member': ({ define }) => {
    const { status, value: Class } = define('Members', members);
    return [
      status, Class, Object.getOwnPropertyNames(Class), Reflect.ownKeys(Class.prototype),
      Object.entries(Object.getOwnPropertyDescriptors(Class.prototype)).map(([name, { get, set, value, ...rest }]) => [
        name, typeof get, typeof set, typeof value, rest,
      ]),
    ];
  },
  'members of instances in use': ({ define }) => {
    const { value: Class } = define('Members', members);
    const names = members.map(({ name }) => name);
    const object = new Class();
    return [use(object, names), object, use(Class.prototype, names), Class.prototype];
  },
  'members of the class in use': ({ define }) => {
    const { value: Class } = define('Members', members);
    return [use(Class, members.map(({ name }) => name)), Class];
  },
  'members of a subclass in use': ({ define }) => {
    const { value: Class } = define('Members', members);
    class Sub extends Class {}
    return [use(Sub, members.map(({ name }) => name)), use(Sub.prototype, members.map(({ name }) => name)), Reflect.ownKeys(Sub)];
  },
  'members that replace each other': ({ define }) => {
    const twice = kinds.flatMap((first) => kinds.map((second) => define(
      'Twice', [{ name: 'same', kind: first, attributes: 7, value: 1 }, { name: 'same', kind: second, attributes: 7, value: 2 }]
    )));
    return [twice, ['constructor', 'prototype', 'name', 'length', '__proto__', 'toString'].flatMap((name) => [0, STATIC].map((where) => {
      const { status, value, thrown } = define('Odd', [{ name, kind: 'method', attributes: 7 | where }]);
      return [name, where, status, thrown, value && Reflect.ownKeys(value), value && Reflect.ownKeys(value.prototype)];
    }))];
  },
  'members with symbols, numbers and odd names': ({ define }) => [
    { key: Symbol.for('key') }, { key: Symbol.iterator }, { key: Symbol('own') }, { key: 'text' }, { key: '5' }, { key: '' }, { name: '' },
    { name: '7' }, { name: '\u20ac' }, { name: 'a b' }, { key: Symbol.hasInstance }, { key: Symbol.toPrimitive },
  ].flatMap((named) => [0, STATIC].map((where) => define('Named', [
    { ...named, kind: 'method', attributes: 7 | where }, { ...named, kind: 'getter', attributes: where },
  ]))),
  'names of classes': ({ define }) => [
    '', 'A', '\u20ac', 'a b', 'x'.repeat(300), 'class', '0',
  ].map((name) => [define(name, []), define(name, []).value.name]),
  '600 members': ({ define }) => {
    const many = Array.from({ length: 600 }, (_, i) => ({ name: `m${i}`, kind: kinds[i % 5], attributes: (i % 8) | (i % 2 ? STATIC : 0), value: i }));
    const { status, value: Class } = define('Many', many);
    const object = new Class();
    return [
      status, object, Reflect.ownKeys(Class), Reflect.ownKeys(Class.prototype),
      many.map(
        ({ name, attributes }) => attempt(() => (attributes & STATIC ? Class : object)[name])
      ).map(({ value }) => (Array.isArray(value) ? value[0] : typeof value)),
    ];
  },
  'data of methods that are moved': ({ define }) => {
    const { value: Class } = define(
      'Moved',
      [{ name: 'a', kind: 'method', attributes: 7 }, { name: 'b', kind: 'method', attributes: 7 }, { name: 'c', kind: 'accessor', attributes: 7 }]
    );
    const object = { a: Class.prototype.b, b: Class.prototype.a };
    const { get, set } = Object.getOwnPropertyDescriptor(Class.prototype, 'c');
    const instance = new Class();
    set.call(instance, 'moved');
    return [
      attempt(() => object.a(1)), attempt(() => get.call('self')), instance.a(1)[0], Class.prototype.b.call(instance)[0], get.call(instance)[0],
      instance, get.name, set.name, get.length, set.length, new (class Other extends Class { b = super.a; })().b(2)[0],
    ];
  },
  'functions that outlive their scope': async ({ outlive, callKept }) => {
    const holder = {};
    outlive(holder);
    const first = [callKept(), holder.kept0(1), holder.kept1.call('self'), holder];
    await turn();
    for (let i = 0; i < 200; i++) outlive({});
    return [first, callKept(), holder.kept2(), [holder.kept0, holder.kept1].map((f) => f.name)];
  },
});
