'use strict';
// tree-sitter and its grammar of JavaScript, compared in-process and isolated: two addons of one host, one of which gives the other a pointer
// in an external; callbacks in the middle of native work; and an object for each node, in a cache of weak references.
const { compareAddon } = require('./support/real.js');

const source = `
// A program with something of everything.
'use strict';
import fs, { readFile as read } from 'fs';
export default class Point extends Base {
  #x = 1;
  static count = 0n;
  constructor(x, y = 2, ...rest) { super(); this.#x = x ?? y; }
  get x() { return this.#x; }
  async *walk([a, { b, c: d = 5 }]) { for await (const e of a) yield* e?.f?.[b](...d); }
}
const text = \`template \${1 + \`nested \${'ä€😀'}\`} end\`, pattern = /[a-z]+\\/(?<name>x)/giu;
label: for (let i = 0, n = list.length; i < n; i++) { if (i % 2 === 0) continue label; else if (!i) break; }
switch (typeof text) { case 'string': case "number": f(1, 2, 3); break; default: throw new Error(\`no \${text}\`); }
try { await g(async (h) => h ** 2, function named() { return arguments; }); } catch { debugger; } finally { delete a.b, void 0; }
var { p, ...q } = { p: 1, ['computed' + 1]: 2, m() {}, get n() { return 3; }, short, async: true };
const element = <div className="x" {...props}>text {value} <br/></div>;
while (x-- > 0) do { y += x << 2; } while (y >>> 1);
function broken( { return +; }
`;

const queries = [
  '(identifier) @name', '(function_declaration name: (identifier) @f body: (_) @body)', '((identifier) @a (#eq? @a "x"))',
  '((string) @s (#match? @s "^.a") (#set! kind quote))',
  '(call_expression function: (member_expression property: (property_identifier) @p) arguments: (arguments . (_)? @first)) @call',
  '[(number) (true) (false)] @value (pair key: (_) @k) (ERROR) @e',
  '((identifier) @a (#not-eq? @a "x") (#is? local) (#is-not? global one) (#any-of? @a "b" "c"))',
  '((binary_expression left: (_) @a right: (_) @b) (#any-not-eq? @a @b))', '"=>" @arrow', '(_)+ @any', '(program . (comment)* @c)',
  '((comment) @c (#eq? @c))', '((comment) @c (#eq? "x" @c))', '((comment) @c (#match? @c @c))', '((comment) @c (#match? @c "("))',
  '((comment) @c (#select-adjacent! @c @c))', ' (no_such_node)', ' (identifier', '(call_expression nofield: (_))',
  ' (identifier) @a (#eq? @b "x")', '(number (number))', '', '; only a comment',
];

const NEEDS_KEPT_ADDRESSES = 'writes to the address of a typed array that it asked for once, at its initialisation';

compareAddon('tree-sitter', { values: 65, errors: 90, what: 'inputs', given: { source } }, ({ addon: Parser, require, record, odd, source }) => {
  const language = require('tree-sitter-javascript');
  const { Query, Tree, LookaheadIterator, TreeCursor, SyntaxNode } = Parser;
  record(() => [Parser, Query, Tree, LookaheadIterator, TreeCursor, SyntaxNode].map((Class) => Object.getOwnPropertyDescriptors(Class.prototype)));
  record(() => [language.name, language.language, Object.keys(language)]);

  const parser = new Parser();
  record(() => parser.getLanguage());
  for (const value of odd) {
    record(() => new Parser().setLanguage(value));
    record(() => new Parser().setLanguage({ language: value }));
    record(() => new Parser().parse(value));
    record(() => parser.setTimeoutMicros(value) === parser);
  }
  parser.setTimeoutMicros(0);
  record(() => parser.parse(source));
  record(() => parser.setLanguage(language) === parser && parser.getLanguage() === language);
  record(() => language.nodeSubclasses.map((Class) => [Class.name, Object.getOwnPropertyNames(Class.prototype)]));

  record(() => parser.parse(source));
  record(() => parser.parse(''));
  for (const size of [1, 2, 3, 7, 64, 1000]) {
    const asked = [];
    record(() => parser.parse((index, position) => (asked.push([index, position]), source.slice(index, index + size))) instanceof Tree);
    record(() => asked);
    for (const bufferSize of [1, 5, 64, 5000]) record(() => parser.parse(source.slice(0, 300), null, { bufferSize }) instanceof Tree);
  }
  for (const end of [null, undefined, '', 5, {}]) {
    const asked = [];
    record(() => parser.parse((index) => (asked.push(index), index < 200 ? source.slice(index, index + 50) : end)) instanceof Tree);
    record(() => asked);
  }
  const failAt = (place) => (index) => {
    if (index >= place) throw new RangeError('from the input');
    return source.slice(index, index + 40);
  };
  for (const place of [0, 100, 500]) record(() => parser.parse(failAt(place)));
  const parseWithin = (index) => {
    new Parser().setLanguage(language).parse('inner');
    return source.slice(index, index + 100);
  };
  record(() => parser.parse(parseWithin) instanceof Tree);
  for (const value of odd.filter((value) => typeof value !== 'function')) {
    record(() => parser.parse('let x', value) instanceof Tree);
    record(() => parser.parse('let x', null, { includedRanges: value, bufferSize: typeof value === 'number' ? 100 : value }) instanceof Tree);
    record(() => parser.parse('let x', null, { includedRanges: [value] }) instanceof Tree);
  }

  class Derived extends Parser {
    parse(...args) {
      return Object.assign(super.parse(...args), { derived: true });
    }
  }
  record(() => new Derived().setLanguage(language).parse(source));
  record(() => Parser());
});

const edited = { values: 280, errors: 30, what: 'ranges and edits', given: { source } };
compareAddon('tree-sitter', edited, ({ addon: Parser, require, record, random, pick, text, odd, source }) => {
  const { Tree } = Parser;
  const parser = new Parser();
  parser.setLanguage(require('tree-sitter-javascript'));
  const position = (code, index) => ({ row: code.slice(0, index).split('\n').length - 1, column: index - code.lastIndexOf('\n', index - 1) - 1 });
  const range = (startIndex, endIndex) => {
    return { startIndex, endIndex, startPosition: position(source, startIndex), endPosition: position(source, endIndex) };
  };
  const failing = () => {
    throw new TypeError('from the getter');
  };

  const all = [[], [range(0, 100)], [range(10, 50), range(60, 200)], [range(60, 200), range(10, 50)], [{ ...range(0, 9), startIndex: 'x' }],
    [{ ...range(0, 9), endPosition: { row: Infinity, column: 5 } }], [Object.defineProperty(range(0, 9), 'endIndex', { get: failing })]];
  for (const includedRanges of all) {
    const made = {};
    record(() => Object.assign(made, { tree: parser.parse(source, null, { includedRanges }) }));
    record(() => made.tree.getIncludedRanges());
    record(() => parser.getIncludedRanges());
  }

  // Edits, each followed by a parse that reuses the tree before.
  let current = source;
  let tree = parser.parse(current);
  for (let i = 0; i < 60; i++) {
    const start = random(current.length);
    const end = Math.min(current.length, start + random(30));
    const added = pick(['', ' ', 'x', ';', '{', '}', '(', ')', '\n', 'let z = 1;', '/* comment */', '😀', text(random(10))]);
    const edit = { startIndex: start, oldEndIndex: end, newEndIndex: start + added.length };
    edit.startPosition = position(current, start);
    edit.oldEndPosition = position(current, end);
    current = current.slice(0, start) + added + current.slice(end);
    edit.newEndPosition = position(current, start + added.length);
    record(() => tree.edit(edit));
    record(() => tree.getEditedRange(tree));
    const next = parser.parse(current, tree);
    record(() => tree.getChangedRanges(next));
    record(() => next.getEditedRange(tree));
    record(() => next.getChangedRanges(parser.parse(source)));
    tree = next;
    if (i % 20 === 0) globalThis.gc();
  }
  const zero = { row: 0, column: 0 };
  for (const value of odd) {
    record(() => tree.edit({ startPosition: value, oldEndPosition: {}, newEndPosition: {} }));
    record(() => tree.edit({ startIndex: 1, oldEndIndex: value, newEndIndex: 3, startPosition: zero, oldEndPosition: zero, newEndPosition: zero }));
    record(() => tree.getChangedRanges(value));
  }
  record(() => Tree.prototype.getChangedRanges.call({}, tree));
  record(() => new Proxy(tree, {}).getIncludedRanges());
});

compareAddon('tree-sitter', { values: 190, errors: 5, what: 'a logger' }, ({ addon: Parser, require, record }) => {
  const parser = new Parser();
  parser.setLanguage(require('tree-sitter-javascript'));
  const logged = [];
  record(() => parser.getLogger());
  const logger = (message, params, type) => logged.push([message, params, type]);
  record(() => parser.setLogger(logger) === parser && parser.getLogger() === logger);
  record(() => parser.parse('let a = b + /x/; ä😀 } {'));
  for (const entry of logged) record(() => entry);

  // What a logger throws is given to console.error.
  const { error } = console;
  const errors = [];
  console.error = (...args) => errors.push(args);
  const failing = () => {
    throw new RangeError('from the logger');
  };
  record(() => parser.setLogger(failing) === parser && parser.parse('f(x)'));
  console.error = error;
  record(() => errors);

  record(() => parser.setLogger(null).getLogger());
  for (const value of [5, 'x', true, {}, 5n, false, undefined]) record(() => parser.setLogger(value) === parser);
  record(() => parser.reset() === parser);
});

const queried = { values: 55, errors: 95, what: 'queries and states', given: { queries } };
compareAddon('tree-sitter', queried, ({ addon: Parser, require, record, odd, queries }) => {
  const { Query, LookaheadIterator } = Parser;
  const language = require('tree-sitter-javascript');
  const initialized = ({ predicates, setProperties, assertedProperties, refutedProperties }) => {
    return [predicates, setProperties, assertedProperties, refutedProperties];
  };
  for (const text of queries) {
    record(() => initialized(new Query(language, text)));
    record(() => new Query(language, text)._getPredicates());
    record(() => new Query(language, Buffer.from(text)) instanceof Query);
  }
  const query = new Query(language, queries.slice(0, 3).join('\n'));
  for (let index = 0; index < 3; index++) {
    record(() => [query.isPatternRooted(index), query.isPatternNonLocal(index), query.startIndexForPattern(index)]);
    record(() => query.isPatternGuaranteedAtStep(index * 20));
  }
  record(() => [query.disableCapture('name'), query.disableCapture('no such'), query.disablePattern(1), query.didExceedMatchLimit()]);
  for (const value of odd) {
    record(() => new Query(value, '(identifier)'));
    // A view is taken for a text.
    if (!ArrayBuffer.isView(value)) record(() => new Query(language, value));
    record(() => query.matches(value));
    record(() => new LookaheadIterator(value, 1));
    record(() => new LookaheadIterator(language, value) instanceof LookaheadIterator);
  }
  for (const state of [0, 1, 2, 50, 500, 1000, 100000]) {
    record(() => [...new LookaheadIterator(language, state)]);
    const iterator = new LookaheadIterator(language, 1);
    record(() => [iterator.resetState(state), iterator._next(), iterator.currentTypeId, iterator.reset(language, state)]);
  }
});

const walked = { values: 4300, errors: 70, what: 'nodes', given: { source } };
compareAddon('tree-sitter', walked, ({ addon: Parser, require, record, random, pick, odd, source }) => {
  const language = require('tree-sitter-javascript');
  const { SyntaxNode } = Parser;
  const parser = new Parser();
  parser.setLanguage(language);
  const tree = parser.parse(source);

  // Ids are addresses, so nodes stand for themselves by what they are.
  const plain = (node) => (node === null ? null : [node.constructor.name, node.typeId, node.type, node.startIndex, node.endIndex]);
  const properties = ['type', 'typeId', 'grammarType', 'grammarId', 'isNamed', 'isMissing', 'isExtra', 'hasChanges', 'hasError', 'isError', 'text',
    'startIndex', 'endIndex', 'startPosition', 'endPosition', 'childCount', 'namedChildCount', 'parseState', 'nextParseState', 'descendantCount'];
  const relatives = ['parent', 'firstChild', 'firstNamedChild', 'lastChild', 'lastNamedChild', 'nextSibling', 'nextNamedSibling', 'previousSibling',
    'previousNamedSibling'];
  const all = [];
  const collect = (node) => {
    all.push(node);
    node.children.forEach(collect);
  };
  collect(tree.rootNode);
  record(() => all.length);
  for (const node of all) {
    record(() => properties.map((name) => node[name]));
    record(() => relatives.map((name) => plain(node[name])));
    record(() => [node.children.map(plain), node.namedChildren.map(plain)]);
    record(() => node.children.every((child, i) => child === node.child(i) && child.parent === node && all.includes(child)));
    record(() => node.children.every((child, i) => child.id === node.child(i).id && child.id !== node.id));
    record(() => node.fields?.map((name) => [name, [node[name]].flat().map(plain)]));
  }
  record(() => tree.rootNode.toString());
  record(() => tree.rootNode === tree.rootNode && all[0] === tree.rootNode);
  // What a node holds besides its id: a place and an alias.
  for (const node of all.slice(0, 20)) record(() => [Object.keys(node), node[2], node[3], node[4], node[5]]);

  const index = () => random(source.length + 20) - 10;
  const point = () => ({ row: random(20), column: random(100) });
  for (let i = 0; i < 200; i++) {
    const node = pick(all);
    const [start, end] = [index(), index()].sort((a, b) => a - b);
    record(() => [plain(node.descendantForIndex(start)), plain(node.descendantForIndex(start, end)), plain(node.namedDescendantForIndex(start, end))]);
    record(() => [plain(node.firstChildForIndex(start)), plain(node.firstNamedChildForIndex(start))]);
    const [from, to] = [point(), point()];
    record(() => [plain(node.descendantForPosition(from)), plain(node.namedDescendantForPosition(from, to))]);
    record(() => node.descendantsOfType(pick(['identifier', ['number', 'string'], 'no_such_type', []]), from, to).map(plain));
    record(() => plain(node.closest(pick(['statement_block', ['class_body', 'program'], 'x']))));
    record(() => [plain(node.child(random(5) - 1)), plain(node.namedChild(random(5))), node.fieldNameForChild(random(5))]);
    const field = pick(['name', 'body', 'left', 'value', 'no_such_field', '']);
    record(() => [plain(node.childForFieldName(field)), node.childrenForFieldName(field).map(plain)]);
    record(() => [plain(node.childForFieldId(random(40))), node.childrenForFieldId(random(40)).map(plain)]);
  }
  record(() => tree.rootNode.descendantsOfType(['identifier', 'property_identifier']).every((node) => all.includes(node)));
  for (const value of odd) {
    record(() => plain(tree.rootNode.child(value)));
    record(() => tree.rootNode.childForFieldName(value));
    record(() => plain(tree.rootNode.descendantForIndex(value, value)));
    record(() => tree.rootNode.descendantForPosition(value));
    record(() => new SyntaxNode(value).type);
  }
  record(() => plain(tree.rootNodeWithOffset(100, { row: 5, column: 7 })));

  // The cache holds nodes weakly: what nobody keeps is made anew.
  for (let round = 0; round < 3; round++) {
    const other = parser.parse(source.repeat(3));
    const count = (node) => node.namedChildren.reduce((sum, child) => sum + count(child), 1);
    record(() => count(other.rootNode));
    globalThis.gc();
  }
  record(() => all.every((node) => node.parent === null || node.parent.children.includes(node)));

  // Nodes of a tree that is edited move with it.
  const place = { row: 1, column: 0 };
  tree.edit({ startIndex: 1, oldEndIndex: 1, newEndIndex: 11, startPosition: place, oldEndPosition: place, newEndPosition: { row: 1, column: 10 } });
  for (const node of all.slice(0, 50)) record(() => [plain(node), node.hasChanges, node.startPosition]);
});

const matched = { values: 1500, errors: 10, what: 'cursors and matches', given: { source, queries: queries.slice(0, 11) } };
compareAddon('tree-sitter', matched, ({ addon: Parser, require, record, random, pick, odd, source, queries }) => {
  const language = require('tree-sitter-javascript');
  const parser = new Parser();
  parser.setLanguage(language);
  const tree = parser.parse(source);
  const plain = (node) => [node.constructor.name, node.type, node.startIndex, node.endIndex, node.text];

  const cursor = tree.walk();
  const other = tree.rootNode.walk();
  const nodes = tree.rootNode.namedChildren;
  // reset() takes the node that was last asked for something.
  const resetTo = (node) => [node.type, cursor.reset(node), plain(cursor.currentNode)];
  const properties = ['nodeType', 'nodeTypeId', 'nodeStateId', 'nodeText', 'nodeIsNamed', 'nodeIsMissing', 'startPosition', 'endPosition', 'startIndex',
    'endIndex', 'currentFieldName', 'currentFieldId', 'currentDepth', 'currentDescendantIndex'];
  const moves = ['gotoFirstChild', 'gotoFirstChild', 'gotoLastChild', 'gotoParent', 'gotoNextSibling', 'gotoNextSibling', 'gotoPreviousSibling'];
  for (let i = 0; i < 400; i++) {
    const move = pick(moves);
    record(() => [move, cursor[move]()]);
    record(() => properties.map((name) => cursor[name]));
    record(() => plain(cursor.currentNode));
    if (i % 10 === 0) record(() => cursor.gotoFirstChildForIndex(random(source.length)));
    if (i % 10 === 3) record(() => cursor.gotoFirstChildForPosition({ row: random(20), column: random(50) }));
    if (i % 20 === 5) record(() => cursor.gotoDescendant(random(500)));
    if (i % 20 === 15) record(() => [other.resetTo(cursor), plain(other.currentNode), other.currentDepth]);
    if (i % 50 === 25) record(() => resetTo(pick(nodes)));
  }
  for (const value of odd) record(() => cursor.gotoFirstChildForIndex(value));

  const match = ({ pattern, captures, ...properties }) => ({ pattern, captures: captures.map(({ name, node }) => [name, plain(node)]), ...properties });
  const capture = ({ name, node, ...properties }) => ({ name, node: plain(node), ...properties });
  const rows = { startPosition: { row: 3, column: 0 }, endPosition: { row: 9, column: 5 } };
  const all = [{ startIndex: 100, endIndex: 400 }, rows, { matchLimit: 2 }, { maxStartDepth: 3 }];
  for (const text of queries) {
    const query = new Parser.Query(language, text);
    record(() => query.matches(tree.rootNode).map(match));
    record(() => query.captures(tree.rootNode).map(capture));
    for (const options of all) {
      record(() => query.matches(tree.rootNode, options).map(match));
      record(() => [query.didExceedMatchLimit(), query.matchLimit]);
    }
    for (const child of tree.rootNode.namedChildren) record(() => query.captures(child).map(capture));
    // By their ids: a node that is collected takes the cache's entry of its successor with it, whenever that is.
    record(() => query.captures(tree.rootNode).every(({ node }) => node.parent === null || node.parent.children.some(({ id }) => id === node.id)));
  }
});
