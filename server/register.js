'use strict';
// `node -r napi-remote/register app.js`: every native addon that the program loads lives in a host process. All ways of loading one end in
// process.dlopen(): require('./x.node'), bindings, node-gyp-build, the loaders of napi-rs.
const os = require('node:os');
const { dlopenIsolated } = require('./lib/agent.js');
const { readConfig } = require('./lib/config.js');
const thread = require('./lib/thread.js');

const optionsFor = readConfig();

// A path that is relative to the working directory of now: the host has that of when it was started. Joined as text, since `..` after
// a symbolic link is not what path.resolve() takes it for. A name without a slash is the loader's to look for.
function toAbsolute(name) {
  if (!name.includes('/') || name.startsWith('/')) return name;
  try {
    return `${process.cwd()}/${name}`;
  } catch {
    return name; // the folder is gone: the loader says so
  }
}

// To Node what has no text is the empty name, and a name ends at its first NUL.
function toName(filename) {
  try {
    return `${filename}`.split('\0', 1)[0];
  } catch {
    return '';
  }
}

function dlopen(module, name, flags, inProcess) {
  const file = toAbsolute(name);
  const options = optionsFor(file);
  if (options === null) return inProcess();
  try {
    return dlopenIsolated(module, file, flags, options);
  } catch (error) {
    // The loader's words, about the name that it was given.
    if (file !== name && error?.code === 'ERR_DLOPEN_FAILED') {
      error.message = error.message.replace(file, () => name);
      error.stack = error.stack.replace(file, () => name);
    }
    throw error;
  }
}

// Node makes numbers, objects and strings of the arguments, whatever they are, and so does this. What Node refuses it refuses here too, with its own words.
const hook = {
  dlopen(module, filename, flags) {
    const refused = () => Reflect.apply(thread.dlopen, this, arguments);
    if (arguments.length < 2) return refused();
    let mode = os.constants.dlopen.RTLD_LAZY;
    try {
      if (arguments.length > 2) mode = flags | 0;
    } catch {
      return refused();
    }
    if (module === null || module === undefined) return refused();
    if (module.exports === null || module.exports === undefined) return refused();
    return dlopen(module, toName(filename), mode, refused);
  },
}.dlopen;

if (!thread.registered) {
  thread.registered = true;
  Object.defineProperty(hook, 'length', { value: thread.dlopen.length, configurable: true });
  process.dlopen = hook;
}
