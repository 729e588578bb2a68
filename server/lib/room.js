'use strict';
// How long an ArrayBuffer or SharedArrayBuffer may become, which Node-API cannot be asked: native code keeps its address while it grows. (Nor can it
// be asked how long a SharedArrayBuffer is before Node 24.) The getters are those that V8 made, whatever the program does to the prototypes later.
const { isSharedArrayBuffer } = require('node:util').types;

const { apply } = Reflect;

function getters(prototype, resizable) {
  const getter = (name) => Object.getOwnPropertyDescriptor(prototype, name)?.get;
  return { length: getter('byteLength'), most: getter('maxByteLength'), resizable: getter(resizable) };
}

const ofArrayBuffer = getters(ArrayBuffer.prototype, 'resizable');
const ofShared = getters(SharedArrayBuffer.prototype, 'growable');

/** @param {ArrayBufferLike} buffer */
function roomOf(buffer) {
  const { length, most, resizable } = isSharedArrayBuffer(buffer) ? ofShared : ofArrayBuffer;
  return apply(resizable !== undefined && apply(resizable, buffer, []) ? most : length, buffer, []);
}

module.exports = { roomOf };
