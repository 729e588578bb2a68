'use strict';
// A compiler of styles and a renderer of images, compared in-process and isolated: trees of objects in both directions, visitors that are
// called within native work, and large Buffers as results.
const { compareAddon } = require('./support/real.js');

const css = `
@charset "utf-8"; @import url("other.css") layer(base) supports(display: grid) screen;
@namespace svg url(http://www.w3.org/2000/svg);
@media (min-width: 30em) and (color-gamut: p3), print { .a:hover > b ~ [data-x="y" i]::before { color: oklch(60% 0.15 50); content: "\\201c ä😀" } }
@supports (display: grid) and (not (display: inline-grid)) { .b { grid: [a] "x y" 1fr / auto minmax(10px, 20%) } }
@font-face { font-family: "Font"; src: url(font.woff2) format("woff2"); unicode-range: U+25-FF }
@keyframes spin { from { rotate: 0deg } 50% { opacity: .5 } to { transform: rotate(1turn) translateX(calc(1px + 2em * 3)) } }
@layer base, components; @layer base { html { margin: 0 auto; --x: { a: b }; --y: calc( 1px+2px ) } }
@container card (width > 400px) { .c { inset: 0 1px; background: linear-gradient(45deg, red 0 10%, rgb(0 0 255 / .5) 90%) no-repeat, url("a b.png") } }
@property --z { syntax: "<length>"; inherits: false; initial-value: 0px }
.parent { color: red; &.nested { color: lab(50% 20 30) } & > .child, .other & { width: clamp(1rem, 5vw, 3rem) } @media print { display: none } }
.d { transition: opacity .3s ease-in-out, color 200ms steps(3, end); box-shadow: 0 0 5px 1px #0008, inset 1px 2px currentcolor }
.f { font: italic bold 12px/1.5 "A", serif }
.unused, #id:not(.x, :is(h1, h2)) { width: 16px; width: 32px; margin-left: 1px; margin-right: 1px; margin-top: 1px; margin-bottom: 1px }
.g { -webkit-user-select: none; user-select: none }
@unknown-rule foo { bar: baz } @mixin theme { color: green }
.e { composes: d from "./d.css"; animation: spin 1s infinite; animation-name: spin; view-transition-name: v }
`;

const compiled = { values: 190, errors: 250, what: 'options', given: { css } };
compareAddon('lightningcss', compiled, ({ addon, record, random, pick, text, odd, css }) => {
  const { transformStyleAttribute, browserslistToTargets, Features } = addon;
  const code = Buffer.from(css);
  // The exported names are in another order in each process.
  const transform = (options) => {
    const result = addon.transform(options);
    if (result.exports) result.exports = Object.fromEntries(Object.entries(result.exports).sort());
    return result;
  };
  record(() => addon);
  record(() => transform({ filename: 'a.css', code }));

  const switches = {
    minify: [true, false],
    sourceMap: [true, false],
    errorRecovery: [true],
    targets: [{ chrome: 80 << 16 }, { safari: 13 << 16 | 2 << 8, firefox: 60 << 16 }, browserslistToTargets(['chrome 95', 'ios_saf 12.2']), {}],
    include: [Features.Nesting, Features.Colors | Features.LogicalProperties],
    exclude: [Features.VendorPrefixes],
    drafts: [{ customMedia: true }],
    nonStandard: [{ deepSelectorCombinator: true }],
    cssModules: [true, false, { pattern: '[local]-x', dashedIdents: true }, { pure: true }, { animation: false, grid: false }],
    analyzeDependencies: [true, { preserveImports: true }],
    pseudoClasses: [{ hover: 'is-hovered', focusVisible: 'f' }],
    unusedSymbols: [['unused', 'spin', '--z']],
    projectRoot: ['/root'],
    customAtRules: [{ mixin: { prelude: '<custom-ident>', body: 'style-block' } }],
    inputSourceMap: [JSON.stringify({ version: 3, sources: ['x.scss'], sourcesContent: ['x'], mappings: 'AAAA', names: [] })],
  };
  for (const [name, values] of Object.entries(switches)) {
    for (const value of values) record(() => transform({ filename: 'a.css', code, errorRecovery: true, [name]: value }));
  }
  for (let i = 0; i < 60; i++) {
    const options = { filename: 'folder/a.css', code, errorRecovery: true };
    for (let j = 0; j < 4; j++) {
      const name = pick(Object.keys(switches));
      options[name] = pick(switches[name]);
    }
    record(() => transform(options));
  }
  for (let i = 0; i < 60; i++) {
    const start = random(css.length);
    record(() => transform({ filename: 'cut.css', code: Buffer.from(css.slice(start, start + random(400))), minify: Boolean(random(2)) }));
    record(() => transform({ filename: 'noise.css', code: Buffer.from(text(random(100))), errorRecovery: Boolean(random(2)) }));
  }
  // It ends the process over a function or a symbol.
  for (const value of odd.filter((value) => !['function', 'symbol', 'bigint'].includes(typeof value))) {
    record(() => transform(value));
    for (const name of ['filename', 'code', ...Object.keys(switches), 'visitor']) {
      record(() => transform({ filename: 'a.css', code: Buffer.from('.a { width: 1px }'), [name]: value }));
    }
    record(() => transformStyleAttribute({ code: value }));
  }
  for (const style of ['color: yellow; width: calc(1px + 2px)', '', 'color:', 'background: url(x.png)', '}']) {
    record(() => transformStyleAttribute({ code: Buffer.from(style), minify: true, analyzeDependencies: true }));
    record(() => transformStyleAttribute({ code: Buffer.from(style), visitor: { Length: ({ unit, value }) => ({ unit, value: value * 2 }) } }));
  }
});

compareAddon('lightningcss', { values: 85, errors: 30, what: 'visitors', given: { css } }, ({ addon, record, odd, css }) => {
  const { transform, composeVisitors } = addon;
  const visit = (visitor, options) => transform({ filename: 'a.css', code: Buffer.from(css), errorRecovery: true, minify: true, visitor, ...options });
  const kinds = ['Angle', 'Color', 'CustomIdent', 'DashedIdent', 'Declaration', 'DeclarationExit', 'EnvironmentVariable', 'Function', 'FunctionExit',
    'Image', 'Length', 'MediaQuery', 'MediaQueryExit', 'Ratio', 'Resolution', 'Rule', 'RuleExit', 'Selector', 'StyleSheet', 'StyleSheetExit',
    'SupportsCondition', 'Time', 'Token', 'Url', 'Variable'];
  for (const kind of kinds) {
    const seen = [];
    record(() => visit({ [kind]: (node) => void seen.push(node) }));
    record(() => seen);
    record(() => visit({ [kind]: (node) => node }));
    const fail = () => {
      throw Object.assign(new RangeError(`from ${kind}`), { extra: kind });
    };
    record(() => visit({ [kind]: fail }));
  }
  const everything = [];
  record(() => visit(Object.fromEntries(kinds.map((kind) => [kind, () => void everything.push(kind)]))));
  record(() => everything.join());

  record(() => visit({ Length: ({ unit, value }) => ({ unit: unit === 'px' ? 'rem' : unit, value: unit === 'px' ? value / 16 : value }) }));
  record(() => visit({ Declaration: { width: ({ property }) => [{ property, raw: '1px' }, { property: 'height', raw: '2px' }], custom: () => [] } }));
  record(() => visit({ Rule: { media: (rule) => [rule, rule], style: ({ value }) => ({ type: 'style', value }), unknown: () => [], ignored() {} } }));
  record(() => visit({ Token: { string: ({ value }) => ({ raw: `"${value.toUpperCase()}"` }) }, Function: { translateX: () => ({ raw: 'none' }) } }));
  record(() => visit(composeVisitors([{ Length: ({ value }) => ({ unit: 'vw', value }) }, { Url: (url) => ({ ...url, url: `/x/${url.url}` }) }])));
  const mixin = { mixin: { prelude: '<custom-ident>', body: 'style-block' } };
  record(() => visit({ Rule: { custom: { mixin: ({ body }) => body.value } } }, { customAtRules: mixin }));
  record(() => visit(({ addDependency }) => ({ Url: ({ url }) => void addDependency({ type: 'file', filePath: url }) })));
  // A visitor may use the addon, and may be no plain object.
  record(() => visit({ Length: () => ({ unit: 'px', value: visit({ Angle: (angle) => angle }).code.length }) }));
  record(() => visit(new Proxy({ Color: () => ({ type: 'currentcolor' }) }, {})));
  for (const value of odd.filter((value) => !['function', 'symbol', 'bigint'].includes(typeof value))) {
    record(() => visit({ Length: () => value, Selector: () => value }));
  }
});

compareAddon('@resvg/resvg-js', { values: 80, errors: 55 }, ({ addon, record, random, bytes, odd }) => {
  const { Resvg } = addon;
  const namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"';
  const svg = (content, attributes = 'width="60" height="40"') => `<svg ${namespaces} ${attributes}>${content}</svg>`;
  const font = { loadSystemFonts: false };
  const images = [
    svg('<rect x="3" y="4" width="10" height="10" fill="red"/>'),
    svg('<circle cx="20" cy="20" r="15" fill="url(#g)"/><defs><linearGradient id="g"><stop stop-color="#00f"/><stop offset="1"/></linearGradient></defs>'),
    svg('<path d="M0 0L50 30Q10 40 5 5z" stroke="green" stroke-width="3" fill-opacity=".5"/>', 'viewBox="0 0 100 50"'),
    svg('<g filter="url(#b)"><rect width="30" height="30"/></g><filter id="b"><feGaussianBlur stdDeviation="3"/></filter>'),
    svg(''),
    svg('<text y="20">no fonts</text>'),
    svg('<image href="a.png" width="5" height="5"/><image xlink:href="https://example.com/b.png" width="9" height="9"/>'),
  ];
  const all = [undefined, null, {}, { background: 'rgba(255, 255, 255, .8)' },
    { fitTo: { mode: 'width', value: 100 } }, { fitTo: { mode: 'zoom', value: 0.5 } }, { fitTo: { mode: 'height', value: 7 } },
    { crop: { left: 2, top: 3, right: 40, bottom: 30 } }, { dpi: 300, shapeRendering: 1, imageRendering: 1, textRendering: 0, languages: ['de'] }];
  for (const image of images) {
    for (const options of all) {
      record(() => {
        const rendered = new Resvg(image, { font, ...options }).render();
        return [rendered.width, rendered.height, rendered.asPng(), rendered.pixels, rendered];
      });
    }
    const resvg = new Resvg(Buffer.from(image), { font });
    record(() => [resvg.width, resvg.height, resvg.toString(), resvg.innerBBox(), resvg.getBBox(), resvg.imagesToResolve()]);
    record(() => [resvg.cropByBBox(resvg.innerBBox()), resvg.width, resvg.render().asPng()]);
  }
  const resvg = new Resvg(images[6], { font });
  const png = new Resvg(images[0], { font }).render().asPng();
  for (const href of [...resvg.imagesToResolve(), 'unknown']) record(() => resvg.resolveImage(href, png));
  record(() => resvg.render().asPng());
  record(() => resvg.resolveImage('https://example.com/b.png', bytes(50)));
  const rect = () => `<rect x="${random(500)}" y="${random(400)}" width="${random(90)}" height="${random(90)}" fill="#${random(900) + 100}"/>`;
  const rects = Array.from({ length: 300 }, rect);
  record(() => new Resvg(svg(rects.join(''), 'width="640" height="480"'), { font }).render().pixels);
  for (const value of [...odd, '', '<svg>', 'no image', svg('', 'width="-1"')]) {
    record(() => new Resvg(value, { font }).toString());
    record(() => resvg.resolveImage(value, value));
    record(() => resvg.cropByBBox(value));
  }
  const bad = [{ fitTo: { mode: 'x' } }, { background: 5 }, { crop: 'x' }, { dpi: 'x' }];
  for (const options of bad) record(() => new Resvg(images[0], { font, ...options }).render().asPng());
  record(() => Resvg(images[0]));
  record(() => [new Resvg(images[0], { font }), Object.getOwnPropertyNames(Object.getPrototypeOf(Resvg.prototype))]);
});
