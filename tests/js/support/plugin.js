'use strict';
// What tests of hosts that end begin with: the addon `plugin` in a host, and what calls of a host that is gone throw.
const assert = require('node:assert/strict');
const { addonFile } = require('./child.js');
const { hostOf, load } = require('../../..');

const plugin = addonFile('plugin');

/** What the call throws, which it has to. */
function caught(call) {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' });
}

function loadPlugin(options) {
  const addon = load(plugin, options);
  return { addon, host: hostOf(addon) };
}

module.exports = { caught, loadPlugin, plugin };
