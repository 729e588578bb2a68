'use strict';
// Runs the points that it reads as JSON from its first argument's file. One line of JSON each, before and after.
const fs = require('node:fs');
const path = require('node:path');
const { Runner } = require('./runner.js');

async function main([file]) {
  const runner = new Runner(path.dirname(file));
  for (const point of JSON.parse(fs.readFileSync(file, 'utf8'))) {
    fs.writeSync(1, `${JSON.stringify({ begins: point })}\n`);
    try {
      fs.writeSync(1, `${JSON.stringify({ ends: await runner.run(point) })}\n`);
    } catch (error) {
      fs.writeSync(1, `${JSON.stringify({ fails: point, why: String(error?.stack ?? error) })}\n`);
    }
  }
}

main(process.argv.slice(2));
