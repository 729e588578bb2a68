'use strict';
// Addons use libuv through the symbols of the program that loads them: every function of this Node's libuv must be there in the host too.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { build } = require('./support/child.js');

function functionsOf(file) {
  const lines = execFileSync('nm', ['-D', '--defined-only', file], { encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n');
  // uv__ is libuv's own.
  return lines.map((line) => line.match(/ [TW] (uv_[a-z0-9]\w*)/)?.[1]).filter(Boolean);
}

// Functions by the version of libuv that has them first: those of Nodes newer than this one.
const YOUNGER = {
  1.47: ['uv_utf16_length_as_wtf8', 'uv_utf16_to_wtf8', 'uv_wtf8_length_as_utf16', 'uv_wtf8_to_utf16'],
  1.48: ['uv_thread_getpriority', 'uv_thread_setpriority'],
  '1.50': ['uv_getrusage_thread', 'uv_thread_detach', 'uv_thread_getname', 'uv_thread_setname', 'uv_udp_try_send2'],
  1.52: ['uv_tcp_keepalive_ex', 'uv_udp_open_ex'],
};

const host = new Set(functionsOf(path.join(build, 'napi-remote-host')));

test('the host exports every function of libuv that this Node exports', (t) => {
  const node = functionsOf(process.execPath);
  if (node.length === 0) return t.skip('this Node has its libuv from a shared library');
  assert.deepEqual(node.filter((name) => !host.has(name)), []);
});

test('the host exports the functions of libuv that newer Nodes have', () => {
  assert.deepEqual(Object.values(YOUNGER).flat().filter((name) => !host.has(name)), []);
});
