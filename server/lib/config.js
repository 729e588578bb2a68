'use strict';
// What `register` isolates, and how: `napi-remote` in the package.json of the program, or the file that NAPI_REMOTE_CONFIG names.
const fs = require('node:fs');
const path = require('node:path');
const { SHARED, ruleGroup } = require('./groups.js');
const { toOptions } = require('./options.js');

const KEYS = ['default', 'addons'];

/** What a configuration cannot say: functions and signals. */
const NOT_IN_JSON = ['signal'];

function configError(file, message, cause) {
  const error = new Error(`${file}: ${message}`, cause === undefined ? undefined : { cause });
  error.code = 'ERR_NAPI_REMOTE_CONFIG';
  return error;
}

function readJson(file) {
  let text;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw configError(file, `cannot be read (${error.code})`, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw configError(file, `is no JSON: ${error.message}`, error);
  }
}

/** The package.json above a folder; undefined: there is none. */
function findPackage(folder) {
  for (let at = folder; ; at = path.dirname(at)) {
    const file = path.join(at, 'package.json');
    if (fs.existsSync(file)) return file;
    if (path.dirname(at) === at) return undefined;
  }
}

/** The folder of the program's script, or where it is started; undefined: there is none, or none any more. */
function programFolder() {
  for (const find of [() => path.dirname(fs.realpathSync(process.argv[1])), () => process.cwd()]) {
    try {
      return find();
    } catch {
      // the next one
    }
  }
  return undefined;
}

/** {file, config}: the empty NAPI_REMOTE_CONFIG is for none. */
function read() {
  const named = process.env.NAPI_REMOTE_CONFIG;
  if (named !== undefined) return named === '' ? {} : { file: path.resolve(named), config: readJson(path.resolve(named)) };
  const folder = programFolder();
  const file = folder === undefined ? undefined : findPackage(folder);
  if (file === undefined) return {};
  try {
    return { file, config: readJson(file)?.['napi-remote'] };
  } catch {
    return {}; // Node tells what is wrong with a package.json, when that matters
  }
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A pattern of paths: `*` is anything within a name, `**` any number of names. */
function toPattern(text, folder) {
  const source = path.resolve(folder, text).split('/').map((name) => {
    if (name === '**') return '(?:[^/]+/)*';
    return `${name.replace(/[\\^$+?.()|[\]{}]/g, '\\$&').replace(/\*/g, '[^/]*')}/`;
  }).join('');
  return new RegExp(`^${source.slice(0, -1)}$`);
}

/** Does a rule's name mean a file? A package's name, or with a `*`, a dot or a slash at its beginning a path. */
function toMatch(name, folder) {
  if (/^[./]|\*/.test(name)) {
    const pattern = toPattern(name, folder);
    return (file) => pattern.test(file);
  }
  const inside = `/node_modules/${name}/`;
  return (file) => {
    const at = file.lastIndexOf('/node_modules/');
    return at >= 0 && file.startsWith(inside, at);
  };
}

/** Checked options; null for `false`: not isolated. */
function toRule(file, value, name, group) {
  if (value === false) return null;
  if (!isObject(value)) throw configError(file, `'${name}' must be an object, or false for addons that are not to be isolated`);
  for (const key of NOT_IN_JSON) {
    if (key in value) throw configError(file, `'${name}.${key}' cannot be set in a configuration`);
  }
  try {
    const options = toOptions(value, name);
    return value.group === undefined ? { ...options, group } : options;
  } catch (error) {
    throw configError(file, error.message, error);
  }
}

/** A function: the options for an addon's file, null when it is not to be isolated. */
function readConfig() {
  const shared = { group: SHARED, launch: {} };
  const { file, config } = read();
  if (config === undefined) return () => shared;
  const whole = process.env.NAPI_REMOTE_CONFIG === undefined ? 'napi-remote' : 'the configuration';
  const prefix = whole === 'napi-remote' ? 'napi-remote.' : '';
  if (!isObject(config)) throw configError(file, `${whole} must be an object`);
  for (const key of Object.keys(config)) {
    if (!KEYS.includes(key)) throw configError(file, `'${prefix}${key}' is not known; there are ${KEYS.map((known) => `'${known}'`).join(' and ')}`);
  }
  const { addons = {}, default: rest = {} } = config;
  if (!isObject(addons)) throw configError(file, `'${prefix}addons' must be an object`);
  const folder = path.dirname(file);
  if ('' in addons) throw configError(file, `'${prefix}addons['']' is for no addon: the name is empty`);
  const rules = Object.entries(addons).map(([name, value]) => (
    { matches: toMatch(name, folder), options: toRule(file, value, `${prefix}addons['${name}']`, ruleGroup(name)) }));
  const other = isObject(rest) && Object.keys(rest).length === 0 ? shared : toRule(file, rest, `${prefix}default`, SHARED);
  return (addon) => {
    const rule = rules.find(({ matches }) => matches(addon));
    return rule === undefined ? other : rule.options;
  };
}

module.exports = { readConfig };
