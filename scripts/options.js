'use strict';
// The command lines of what developers run (bench/, tests/stress and so on): what cannot be taken is told, with the usage.
const { parseArgs } = require('node:util');

/** What a number may be: { otherwise: when it is not given, least, fraction }. */
const number = (otherwise, { least = 1, fraction = false } = {}) => ({ otherwise, least, fraction });
const text = (otherwise) => ({ otherwise });
const flag = { otherwise: false };

function readNumber(name, { least, fraction }, given) {
  const value = Number(given);
  if (!(fraction ? /^\d+(\.\d+)?$/ : /^\d+$/).test(given) || value < least || (!fraction && !Number.isSafeInteger(value))) {
    throw new Error(`--${name} takes a number${fraction ? '' : ' without a fraction'}, ${least} or more, not "${given}"`);
  }
  return value;
}

/**
 * The values of all options of `known`, by name; throws an Error that tells what is wrong with `args`.
 *
 *     parseOptions({ rounds: number(5), out: text('x.json'), large: flag }, ['--rounds', '3']) // { rounds: 3, out: 'x.json', large: false }
 */
function parseOptions(known, args = process.argv.slice(2)) {
  const { values } = parseArgs({ args, options: Object.fromEntries(Object.entries(known).map(([name, kind]) => [name, { type: kind === flag ? 'boolean' : 'string' }])) });
  return Object.fromEntries(Object.entries(known).map(([name, kind]) => {
    const given = values[name];
    if (given === undefined) return [name, kind.otherwise];
    return [name, kind.least === undefined ? given : readNumber(name, kind, given)];
  }));
}

/** What `read` returns; when it throws, the process ends with 2, and what was wrong and the usage are on stderr. */
function orUsage(usage, read) {
  try {
    return read();
  } catch (error) {
    process.stderr.write(`${error.message}\nusage: ${usage}\n`);
    return process.exit(2);
  }
}

module.exports = { flag, number, text, orUsage, parseOptions };
