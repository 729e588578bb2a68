'use strict';
// Published parsers and transformers of sources, compared in-process and isolated. Where a package has others for each platform, by the one that
// has the addon: the lists of the rest name some that are not in the registry.
const { compareAddon } = require('./support/real.js');

compareAddon('@rollup/rollup-linux-x64-gnu', { values: 60, errors: 60 }, async ({ addon, record, settle, inputs, odd }) => {
  const { parse, parseAsync, xxhashBase64Url, xxhashBase36, xxhashBase16 } = addon;
  const sources = ['', 'const a = 1; export default a + "ä😀" /* c */;', 'const = 1', '<div/>', 'let x = `t${1}`;'.repeat(3000), 'import("a").then(async () => { await 1 })'];
  for (const source of sources) {
    for (const flags of [[false, false], [true, true]]) {
      record(() => parse(source, ...flags));
      await settle(() => parseAsync(source, ...flags));
    }
  }
  for (const hash of [xxhashBase64Url, xxhashBase36, xxhashBase16]) {
    for (const input of inputs.slice(0, 12)) record(() => hash(Buffer.from(input)));
    for (const value of odd) record(() => hash(value));
  }
  for (const value of odd) {
    record(() => parse(value, false, false));
    record(() => parse('a', value, value));
    await settle(() => parseAsync(value, false, false));
  }
  await Promise.all(Array.from({ length: 40 }, (_, i) => settle(() => parseAsync(`f(${i});`.repeat(i), false, false))));
});

compareAddon('@oxc-parser/binding-linux-x64-gnu', { values: 60, errors: 50 }, async ({ addon, record, settle, odd }) => {
  const shown = (result) => [result, result.program, result.module, result.comments, result.errors];
  for (const [name, source] of [['a.js', 'const a = 1 // c\nexport default a'], ['b.tsx', 'const x: number = <div a="ü😀">{y}</div>; import z from "q"; import.meta.url'],
    ['c.js', 'let = = 1'], ['d.js', '1n; /a/u; /[/; 1.5e400'], ['e.mjs', 'x;'.repeat(20_000)]]) {
    record(() => shown(addon.parseSync(name, source)));
    record(() => shown(addon.parseSync(name, source, { range: true, sourceType: 'script', preserveParens: false })));
    await settle(async () => shown(await addon.parse(name, source)));
  }
  for (const value of odd) {
    record(() => shown(addon.parseSync(value, 'a')));
    record(() => shown(addon.parseSync('a.js', value)));
    record(() => shown(addon.parseSync('a.js', 'a', value)));
    record(() => shown(addon.parseSync('a.js', 'a', { lang: value })));
    await settle(async () => shown(await addon.parse(value, value)));
  }
  await Promise.all(Array.from({ length: 30 }, (_, i) => settle(async () => (await addon.parse('a.ts', `let v${i} = ${i};`.repeat(i))).program)));
});

compareAddon('@ast-grep/napi-linux-x64-gnu', { values: 30, errors: 100 }, async ({ addon, record, settle, odd }) => {
  const { parse, parseAsync, kind, pattern, Lang } = addon;
  const source = 'function f(a) { console.log("ü😀", a); return a ?? 1 }\nconst x = () => console.log(1)\n';
  const root = parse(Lang.JavaScript, source).root();
  const shown = (node) => node && [node.text(), node.range(), node.kind(), node.isLeaf(), node.isNamed(), node.isNamedLeaf()];
  const found = root.findAll('console.log($$$ARGS)');
  record(() => [shown(root), found.map(shown), found.map((node) => node.getMultipleMatches('ARGS').map(shown))]);
  record(() => root.findAll({ rule: { pattern: 'console.log($A)', inside: { kind: 'arrow_function', stopBy: 'end' } } }).map((node) => shown(node.getMatch('A'))));
  for (const walk of ['children', 'ancestors', 'nextAll', 'prevAll']) record(() => found[1][walk]().map(shown));
  for (const step of ['parent', 'next', 'prev']) record(() => shown(found[0][step]()));
  for (const test of ['matches', 'inside', 'has', 'precedes', 'follows']) for (const rule of ['console.log($A)', '1', 'function $F() {}']) record(() => found[1][test](rule));
  record(() => {
    const edits = found.map((node) => node.replace('log(ä)'));
    return [edits, root.commitEdits(edits)];
  });
  record(() => [kind(Lang.JavaScript, 'identifier'), pattern(Lang.JavaScript, 'foo($A)')]);
  for (const language of [Lang.TypeScript, Lang.Tsx, Lang.Html, Lang.Css]) await settle(async () => shown((await parseAsync(language, source)).root()));
  for (const value of odd) {
    record(() => shown(parse(value, 'a').root()));
    record(() => shown(parse(Lang.JavaScript, value).root()));
    record(() => shown(root.find(value)));
    record(() => root.findAll({ rule: value }).map(shown));
    record(() => root.commitEdits(value));
    record(() => found[0].replace(value));
    await settle(() => parseAsync(value, value));
  }
  for (let i = 0; i < 200; i++) parse(Lang.JavaScript, source).root().findAll('console');
  globalThis.gc();
  record(() => shown(found[0].child(0)));
});

compareAddon('@tailwindcss/oxide-linux-x64-gnu', { values: 20, errors: 50 }, ({ addon, record, odd }) => {
  const content = '<div class="flex p-4 md:hover:bg-red-500/50 [&_p]:mt-4 text-[14px]">ü</div>';
  const scanner = new addon.Scanner({ sources: [{ base: '/no/such/folder', pattern: '**/*', negated: false }] });
  record(() => [scanner.scan(), scanner.files, scanner.globs, scanner.normalizedSources]);
  record(() => scanner.scanFiles([{ content, extension: 'html' }]).sort());
  record(() => scanner.getCandidatesWithPositions({ content, extension: 'html' }));
  record(() => scanner.getCandidatesWithPositions({ content: content.repeat(5000), extension: 'html' }));
  for (const value of odd) {
    record(() => typeof new addon.Scanner(value));
    record(() => typeof new addon.Scanner({ sources: value }));
    record(() => scanner.scanFiles(value));
    record(() => scanner.getCandidatesWithPositions(value));
    record(() => addon.Scanner.prototype.scan.call(value));
  }
});

compareAddon('@css-inline/css-inline-linux-x64-gnu', { values: 20, errors: 60 }, ({ addon, record, odd }) => {
  const source = '<html><head><style>h1 { color:blue; } .ü{margin:0}</style></head><body><h1>Big</h1><p class="ü">x</p></body></html>';
  for (const options of [undefined, { keepStyleTags: true, extraCss: 'h1 { margin: 1px }' }, { inlineStyleTags: false }, { baseUrl: 'no url' }]) record(() => addon.inline(source, options));
  record(() => addon.inlineFragment('<main><h1>x</h1></main>', 'h1{color:red}'));
  record(() => addon.inline(source.replace('<p', `${'<p class="ü">x</p>'.repeat(5000)}<p`)));
  record(() => [addon.version(), addon]);
  for (const value of odd) {
    record(() => addon.inline(value));
    record(() => addon.inline(source, value));
    record(() => addon.inline(source, { extraCss: value }));
    record(() => addon.inlineFragment(value, value));
    record(() => addon.inlineFragment(source, value));
  }
});

// Made with a napi-rs of 2021, which gives the address of a C string where a value is due.
compareAddon('@swc/css', { values: 25, errors: 30 }, async ({ addon, record, settle, odd }) => {
  // The text of an error ends with the stack of the thread.
  const cut = (error) => Object.assign(error, { message: error.message.split(/\n+stack backtrace:/i)[0] });
  const both = async (content, options) => {
    record(() => {
      try {
        return addon.minifySync(content, options);
      } catch (error) {
        throw cut(error);
      }
    });
    await settle(() => addon.minify(content, options).catch((error) => { throw cut(error); }));
  };
  const source = 'a { color : red ; margin: 0px 0px; } @media (min-width: 10px) { b { c: "ü" } }';
  for (const content of ['', source, source.repeat(2000), Buffer.from(source), 'a {', '}}}']) {
    for (const options of [{}, { sourceMap: true, filename: 'a.css' }]) await both(Buffer.from(content), options);
  }
  for (const value of odd) {
    await both(value, {});
    await both(Buffer.from(source), value);
  }
  await Promise.all(Array.from({ length: 40 }, (_, i) => settle(() => addon.minify(Buffer.from(`a { width: ${i}px }`), {}))));
});
