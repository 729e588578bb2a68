'use strict';
// The values that a program finds in its registers: one of each sort that JavaScript has, the nastier ones included. All are made afresh for each
// run, since programs change them.
const { classes, detaching, functions, guests, ofFunction, proxies } = require('./code.js');
const things = require('./things.js');
const { isLarge } = require('./pools.js');

const { numbers, strings } = things;

const constants = (list) => Object.fromEntries(list.map((value, i) => [i, typeof value === 'function' ? value : () => value]));

/** [kind, name, make, how often] */
const items = [];
function add(kind, table, often = 1, detaches = false) {
  const isGuest = Object.values(guests).includes(table);
  for (const [name, make] of Object.entries(table)) items.push({ kind, name: `${kind}.${name}`, make, often, detaches, isGuest });
}
add('undefined', { value: () => undefined }, 3);
add('null', { value: () => null }, 3);
add('boolean', { true: () => true, false: () => false }, 2);
add('number', constants(numbers));
add('string', constants(strings));
add('string', things.built, 2);
add('script', constants(things.scripts));
add('symbol', constants(things.symbols), 2);
add('bigint', constants(things.bigints));
add('object', things.objects, 3);
add('proxy', proxies, 2);
add('function', functions, 3);
add('function', ofFunction, 2);
add('class', classes, 3);
add('array', things.arrays, 3);
add('arraybuffer', things.arrayBuffers, 3);
add('typedarray', things.typedArrays);
add('dataview', things.dataViews, 3);
add('buffer', things.buffers, 3);
add('error', things.errors, 2);
add('date', things.dates, 3);
add('promise', things.promises, 3);
add('function', Object.fromEntries([0, 1, 2, 3, 4, 5].map((k) => [`callback${k}`, ({ callback }) => callback(k)])), 3);
// Functions of another addon that runs functions of the same program: another env on the same thread.
add('function', guests.functions, 3);
add('class', guests.classes, 2);
add('object', guests.objects, 3);
add('function', detaching, 12, true);

const numbered = items.flatMap((item, i) => Array(item.often).fill(i));
const iterator = 'symbol.2';
const largeNumbers = new Set(numbers.flatMap((value, i) => (isLarge(value) ? [`number.${i}`] : [])));

/**
 * The items that a program may have. shares: it may hold what belongs to the whole process. detaches: it may take away an ArrayBuffer's bytes.
 * setsLength: it may set the length of arrays.
 */
function choose(shares, detaches, setsLength) {
  return numbered.filter((i) => {
    const { name, detaches: needed } = items[i];
    // The pool of small Buffers must not be detached: others use it.
    if (detaches ? name === 'buffer.pooled' : needed) return false;
    if (!shares && name === iterator) return false;
    return setsLength ? !largeNumbers.has(name) : name !== `string.${strings.indexOf('length')}`;
  });
}
const both = [false, true];
const chosen = both.map((shares) => both.map((detaches) => both.map((setsLength) => choose(shares, detaches, setsLength))));

module.exports = {
  choices: ({ shares, detaches, setsLength }) => chosen[Number(shares)][Number(detaches)][Number(setsLength)],
  kindOf: (number) => items[number].kind,
  nameOf: (number) => items[number].name,
  usesGuest: (numbers) => numbers.some((number) => items[number].isGuest),
  make: (number, ctx) => items[number].make(ctx),
};
