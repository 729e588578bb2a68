'use strict';
// node proto/messages.js IN OUT: copies a .proto file without its services. protoc-c would make code for them that nobody calls, and
// whose names collide with its own (an rpc called `init`). The generator reads the services; protoc-c needs the messages only.
const fs = require('node:fs');

const [input, output] = process.argv.slice(2);
const kept = [];
let inService = false;
for (const line of fs.readFileSync(input, 'utf8').split('\n')) {
  if (/^service\s/.test(line)) inService = true;
  // An empty line instead, so that protoc-c's errors name the right one.
  kept.push(inService ? '' : line);
  if (inService && line.startsWith('}')) inService = false;
}
if (inService) throw new Error(`${input}: a service has no closing brace at the start of a line`);
fs.writeFileSync(output, kept.join('\n'));
