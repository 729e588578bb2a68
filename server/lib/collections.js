'use strict';
// Tells the agent of collections of the whole heap; others it finds out by itself, when it is called next. Not by a finalizer of Node-API: Node keeps its loop alive until that has been called,
// so a program would go on for longer than in one process, and one that collects whenever it is about to end would never.
let collected, registry;

function arm() {
  registry.register({});
}

/** The agent's function, to be called after each of them. */
function onCollection(callback) {
  collected = callback;
}

/** From now on it is: when there is something to be collected. */
function watchHeap() {
  registry = new FinalizationRegistry(() => {
    arm();
    collected();
  });
  arm();
}

module.exports = { onCollection, watchHeap };
