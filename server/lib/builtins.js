'use strict';
// Functions of the engine that the agent knows when native code calls them.
const { create } = Object;
const { toString } = Function.prototype;

/** Neither a function of the program's nor a bound one prints so; one of an addon's has another length. */
function isBuiltin(value, name, length) {
  return typeof value === 'function' && value.length === length && toString.call(value) === `function ${name}() { [native code] }`;
}

module.exports = {
  /** Object.create; undefined: the program has put another one in its place. */
  create: isBuiltin(create, 'create', 2) ? create : undefined,
};
