'use strict';
// Published compilers that work in the background, compared in-process and isolated: trees as JSON, and plugins in JavaScript that are
// called from the threads of the compiler.
const { compareAddon } = require('./support/real.js');

compareAddon('@swc/core', { values: 30, errors: 5 }, async ({ addon, settle }) => {
  const sources = ['', 'const a: number = 1; export { a };', 'enum A { B = 1, C } export default A', 'let x = <T,>(y: T) => y ?? null;',
    'async function* f() { for await (const x of y) yield* x; }', 'class A { #b = 1; static { this.c = `ä€😀`; } }',
    Array.from({ length: 500 }, (_, i) => `export const name${i} = (a, b = ${i}) => ({ ...a, [b]: a?.b?.c ** ${i} });`).join('\n')];
  const broken = ['let', 'class {', 'const a: = 1', '"', 'export { nothing'];
  const typed = { jsc: { parser: { syntax: 'typescript' }, target: 'es2015' }, swcrc: false, configFile: false };
  // The text of an error ends with the stack of the thread.
  const compiled = (call) => settle(() => call().catch(({ code, message }) => {
    throw Object.assign(new Error(message.split('\n\nStack backtrace:')[0]), { code });
  }));
  for (const source of [...sources, ...broken]) {
    await compiled(() => addon.transform(source, { ...typed, filename: 'input.ts' }));
    await compiled(() => addon.transform(source, { ...typed, sourceMaps: true, module: { type: 'commonjs' }, minify: true }));
    await compiled(() => addon.parse(source, { syntax: 'typescript', target: 'es2022' }));
    await compiled(() => addon.minify(source, { compress: true, mangle: true }));
  }
  const tree = await addon.parse('let a = 1;', { syntax: 'ecmascript' });
  await settle(() => addon.print(tree));
  await compiled(() => addon.transformFile('/no/such/file.js', { swcrc: false }));
  await Promise.all(Array.from({ length: 40 }, (_, i) => settle(() => addon.transform(`export const a${i}: number = ${i};`, typed))));
});

compareAddon('rolldown', { values: 12, errors: 4 }, async ({ addon, record, settle }) => {
  const files = {
    'main.js': 'import { b } from "./b.js"; import { c } from "virtual:c"; console.log(b, c); export const later = () => import("./later.js");',
    'b.js': 'export const b = "ä€😀"; export const unused = 1;',
    'later.js': 'export default 5;',
    'broken.js': 'let let = ;',
    'wide.js': `${Array.from({ length: 100 }, (_, i) => `import { v${i} } from "./v${i}.js";`).join('')} console.log(${Array.from({ length: 100 },
      (_, i) => `v${i}`)});`,
    ...Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`v${i}.js`, `export const v${i} = ${i};`])),
  };
  /** A file system in memory; it answers now, or later. */
  const inMemory = (late) => ({
    name: 'in memory',
    resolveId: (id) => (id === 'virtual:c' ? '\0c' : `/memory/${id.replace('./', '')}`),
    load: (id) => {
      if (id === '\0c') return 'export const c = 7;';
      const code = files[id.slice('/memory/'.length)];
      if (code === undefined) throw new RangeError(`no ${id}`);
      return late ? new Promise((resolve) => setImmediate(resolve, code)) : code;
    },
  });
  const bundle = async (input, output, ...plugins) => {
    const build = await addon.rolldown({ input, plugins, logLevel: 'silent' });
    try {
      const { output: parts } = await build.generate(output);
      return parts.map(({ type, fileName, code, exports, imports, map }) => ({ type, fileName, code, exports, imports, map: map?.mappings }));
    } finally {
      await build.close();
    }
  };
  for (const late of [false, true]) {
    for (const format of ['esm', 'cjs']) await settle(() => bundle('main.js', { format }, inMemory(late)));
    await settle(() => bundle('main.js', { format: 'esm', minify: true, sourcemap: true }, inMemory(late)));
    await settle(() => bundle('wide.js', { format: 'iife' }, inMemory(late)));
  }
  // What the plugins are told, in an order that does not depend on threads.
  const told = [];
  const tell = (name) => (...args) => {
    told.push([name, ...args.filter((arg) => typeof arg === 'string').map((arg) => arg.slice(0, 60))].join(' '));
    return null;
  };
  const spy = { name: 'spy' };
  for (const hook of ['transform', 'renderChunk', 'moduleParsed', 'buildEnd']) spy[hook] = tell(hook);
  await settle(() => bundle('main.js', { format: 'esm' }, inMemory(false), spy));
  record(() => told.sort());
  const upper = { name: 'upper', transform: (code, id) => (id.endsWith('b.js') ? { code: code.replace('unused', 'used'), map: null } : null) };
  await settle(() => bundle('main.js', { format: 'esm' }, inMemory(true), upper));
  // Failures: of the input, of plugins at once and later. What the error carries besides its text has traces of the stack in it.
  const failure = (...args) => settle(() => bundle(...args).catch(({ name, code, message }) => {
    throw Object.assign(new Error(message.split('\n')[0]), { of: name, code });
  }));
  await failure('broken.js', {}, inMemory(false));
  await failure('none.js', {}, inMemory(false));
  await failure('main.js', {}, inMemory(false), { name: 'thrower', transform() { throw new TypeError('from a plugin'); } });
  await failure('main.js', {}, inMemory(false), { name: 'rejecter', transform: async () => { throw new TypeError('from a plugin, later'); } });
  await settle(() => Promise.all(Array.from({ length: 8 }, () => bundle('wide.js', { format: 'esm' }, inMemory(true)))));
});
