'use strict';
// Tells the agent of collections of the whole heap; others it finds out by itself, when it is called next. Not by a finalizer of Node-API: Node keeps its loop alive until that has been called,
// so a program would go on for longer than in one process, and one that collects whenever it is about to end would never.
let collected;
const registry = new FinalizationRegistry(() => {
  arm();
  collected();
});

function arm() {
  registry.register({});
}

/** From now on the callback is called after each of them. */
function onCollection(callback) {
  collected = callback;
  arm();
}

module.exports = { onCollection };
