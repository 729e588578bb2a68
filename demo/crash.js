'use strict';
// An addon that dereferences NULL, in a host of its own, beside addons that do not.
const path = require('node:path');
const remote = require('napi-remote');
const { crc32 } = require('@node-rs/crc32'); // isolated too: this program runs under napi-remote/register

const file = path.join(process.argv[2], 'crash.node');
const addon = remote.load(file);
console.log(`   the addon works:        add(2, 3) is ${addon.add(2, 3)}`);

try {
  addon.crash();
  console.log('   crash() came back, which it must not');
  process.exit(1);
} catch (error) {
  console.log(`   caught in JavaScript:   ${error.name} ${error.code}`);
  console.log(`                           ${error.message}`);
  if (error.code !== 'ERR_NAPI_REMOTE_HOST_DIED') process.exit(1);
}

try {
  addon.add(2, 3);
  process.exit(1);
} catch (error) {
  console.log(`   calling it again:       ${error.name} ${error.code}`);
}
console.log(`   the others go on:       crc32("still here") is ${crc32('still here')}`);
console.log(`   loaded anew, it works:  add(2, 3) is ${remote.load(file).add(2, 3)}`);
