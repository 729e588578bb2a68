'use strict';
// What this process has: children, descriptors, mappings.
const fs = require('node:fs');

/** The pids of all children, zombies too. */
function children() {
  const list = [];
  for (const thread of fs.readdirSync('/proc/self/task')) {
    try {
      list.push(...fs.readFileSync(`/proc/self/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number));
    } catch {
      // the thread has ended
    }
  }
  return list;
}

function hostsBut(spared) {
  return children().filter((pid) => pid !== spared);
}

/** No error when it has ended by itself. */
function endProcess(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

function descriptors() {
  return fs.readdirSync('/proc/self/fd').length;
}

function sharedMappings() {
  return fs.readFileSync('/proc/self/maps', 'latin1').split('\n').filter((line) => line.includes('memfd:')).length;
}

module.exports = { descriptors, endProcess, hostsBut, sharedMappings };
