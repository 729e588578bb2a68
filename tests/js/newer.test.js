'use strict';
// Functions newer than Node-API 9, which bindings look up at run time. Where this Node lacks one there is nothing to compare with.
const { test } = require('node:test');
const { addons, compare } = require('./harness.js');

const { inProcess } = addons('newer');
inProcess.attempt().forEach(({ name, found }, index) => {
  test(name, { skip: !found && `not in ${process.version}` }, (t) => compare(t, 'newer', ({ attempt }) => attempt()[index]));
});

// Addons look them up to find out what this Node can do.
test('a host has those that this Node has', (t) => compare(t, 'newer', ({ found }) => found([
  'napi_create_object', 'napi_no_such_function', 'node_api_create_property_key_latin1', 'node_api_create_property_key_utf8',
  'node_api_create_property_key_utf16', 'node_api_create_buffer_from_arraybuffer', 'node_api_create_external_string_latin1',
  'node_api_create_external_string_utf16', 'node_api_post_finalizer', 'node_api_set_prototype', 'node_api_create_object_with_properties',
  'node_api_is_sharedarraybuffer', 'node_api_create_sharedarraybuffer', 'node_api_create_external_sharedarraybuffer',
])));
