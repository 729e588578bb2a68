'use strict';
// Foreign functions, compared in-process and isolated: two addons that give each other pointers, Buffers whose address native code keeps, external
// ones of nominally a gigabyte over the memory behind a pointer, callbacks that C calls. Both sides call the C library of their own process.
const { compareAddon } = require('./support/real.js');

compareAddon('ref-napi', { values: 280, errors: 120 }, ({ addon: ref, record, odd }) => {
  const types = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float', 'double', 'bool', 'byte', 'short', 'long', 'ulong', 'size_t'];
  for (const type of types) {
    record(() => [ref.sizeof[type], ref.alignof[type]]);
    for (const value of [0, 1, 5, -1, 2 ** 31, '-9007199254740993', ...odd]) record(() => [...ref.alloc(type, value)]);
    record(() => ref.deref(ref.alloc(type, 5)));
  }
  record(() => ref.readCString(ref.allocCString('hello ü')));
  record(() => ref.alloc('int', 9).ref().ref().deref().deref().deref());
  record(() => [ref.isNull(ref.NULL), ref.isNull(Buffer.alloc(1)), ref.NULL.length]);
  record(() => {
    const object = { a: 1 };
    const pointer = ref.alloc('Object', object);
    return pointer.deref() === object;
  });
  record(() => {
    const bytes = Buffer.from('abcdefgh');
    const found = ref.readPointer(ref.alloc('pointer', bytes), 0, 8);
    return [String(found), found.length];
  });
  record(() => ref.reinterpretUntilZeros(Buffer.from('abc\0def'), 1).length);
  for (const value of odd.filter((value) => !(value instanceof DataView))) {
    record(() => ref.isNull(value));
    record(() => typeof ref.address(value));
  }
  for (let i = 0; i < 300; i++) {
    const pointer = ref.alloc('pointer', Buffer.from(`item ${i}\0`));
    if (i % 30 === 0) record(() => ref.readCString(ref.readPointer(pointer, 0, 12), 0));
  }
  globalThis.gc();
});

compareAddon('ffi-napi', { values: 40, errors: 2 }, async ({ addon: ffi, record, called, odd, require }) => {
  const ref = require('ref-napi');
  const libc = ffi.Library('libc.so.6', {
    abs: ['int', ['int']],
    strlen: ['size_t', ['string']],
    strdup: ['pointer', ['string']],
    strtol: ['long', ['string', 'pointer', 'int']],
    memcpy: ['pointer', ['pointer', 'pointer', 'size_t']],
    qsort: ['void', ['pointer', 'size_t', 'size_t', 'pointer']],
    usleep: ['int', ['int']],
  });
  const libm = ffi.Library('libm.so.6', { pow: ['double', ['double', 'double']], frexp: ['double', ['double', 'pointer']] });
  record(() => [libc.abs(-5), libc.strlen('hellö'), libm.pow(2, 0.5)]);
  record(() => ref.readCString(libc.strdup('a copy, ü'), 0));
  for (const number of [0, 1, 48, -0.75]) {
    record(() => {
      const exponent = ref.alloc('int');
      return [libm.frexp(number, exponent), exponent.deref()];
    });
  }
  record(() => {
    const to = Buffer.alloc(20);
    libc.memcpy(to, Buffer.from('from here to there'), 18);
    return to;
  });
  const compare = ffi.Callback('int', ['pointer', 'pointer'], (a, b) => ref.get(a.reinterpret(4), 0, 'int') - ref.get(b.reinterpret(4), 0, 'int'));
  for (const length of [0, 1, 2, 3, 4, 5, 5, 20]) {
    record(() => {
      const numbers = new Int32Array(Array.from({ length }, (_, i) => (i * 7919) % 101));
      const bytes = Buffer.from(numbers.buffer);
      libc.qsort(bytes, length, 4, compare);
      return [...numbers];
    });
  }
  const back = ffi.ForeignFunction(ffi.Callback('double', ['int', 'double'], (a, b) => a * b), 'double', ['int', 'double']);
  record(() => back(3, 1.5));
  for (let i = 0; i < 5; i++) await called((callback) => libc.abs.async(-i, callback));
  await Promise.all(Array.from({ length: 10 }, (_, i) => called((callback) => libc.usleep.async(1000 * i, callback))));
  for (const value of odd) {
    record(() => libc.abs(value));
    if (typeof value !== 'object' || value === null) record(() => typeof ffi.Library(value, {}));
  }
});
