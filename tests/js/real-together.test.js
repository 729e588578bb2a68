'use strict';
// Many published addons in one program, hence in one host: calls take turns, and calls into one addon happen within calls into another.
const { compareAddon } = require('./support/real.js');

const names = ['@node-rs/argon2', '@node-rs/crc32', '@node-rs/jsonwebtoken-linux-x64-gnu', '@node-rs/xxhash', 'bcrypt', 'bufferutil', 'sodium-native',
  'tree-sitter', 'tree-sitter-javascript', 'utf-8-validate', 'xxhash-addon'];

const together = { values: 800, errors: 20, what: 'together with eleven others', given: { names } };
compareAddon('farmhash', together, ({ addon: farmhash, require, record, random, pick, bytes, text, names }) => {
  const [argon2, crc32, jwt, xxhash, bcrypt, bufferutil, sodium, Parser, language, isValidUtf8, { XXHash3 }] = names.map((name) => require(name));
  const salt = '$2b$04$abcdefghijklmnopqrstuu';
  const quick = { memoryCost: 64, timeCost: 1, salt: bytes(16) };
  const newParser = () => new Parser().setLanguage(language);
  const parser = newParser();
  const masked = (input) => {
    bufferutil.unmask(input, Buffer.from([1, 2, 3, 4]));
    return input;
  };
  const summed = (input) => {
    const sum = Buffer.alloc(32);
    sodium.crypto_generichash(sum, input);
    return sum;
  };
  const parsed = (input) => {
    const asked = [];
    const tree = parser.parse((index) => (asked.push(index), index < input.length ? `f(${input.readUInt8(index)});` : null));
    return [asked, tree.getChangedRanges(tree)];
  };
  const state = new XXHash3(bytes(8));
  const calls = [
    (input) => farmhash.fingerprint64(input), (input) => crc32.crc32c(input), (input) => xxhash.xxh64(input), (input) => isValidUtf8(input),
    (input) => jwt.signSync({ iat: 1, length: input.length }, input.length ? input : 'key'), (input) => [state.update(input), state.digest()],
    (input) => argon2.hashSync(input, quick), (input) => bcrypt.compareSync(input, 'no hash'), masked, summed, parsed,
  ];
  for (let i = 0; i < 600; i++) {
    const call = pick(calls);
    const input = bytes(random(200));
    record(() => call(input));
  }

  // Through four addons and back, by the getters, functions and proxies that each of them calls.
  const inArgon2 = (inner) => argon2.hashSync('x', Object.defineProperty({ ...quick }, 'outputLen', { get: () => 4 + (Number(inner()) % 50) }));
  const inJwt = (inner) => jwt.signSync(Object.defineProperty({}, 'iat', { get: () => inner(), enumerable: true }), 'key');
  const inParser = (inner) => {
    const results = [];
    newParser().parse((index) => (index < 3 ? `${results.push(inner(index)) && 'x;'}` : null));
    return results;
  };
  class Query extends Parser.Query {
    _init() {
      super._init();
      this.made = this.constructor.inner();
    }
  }
  const inQuery = (inner) => new (class extends Query {
    static inner = inner;
  })(language, '(identifier) @a').made;
  const number = () => Number(farmhash.fingerprint64(bytes(10)) % 1000n) + sodium.sodium_compare(bytes(4), bytes(4)) + crc32.crc32(text(5));
  for (let i = 0; i < 40; i++) {
    record(() => inParser(() => inJwt(() => number())));
    record(() => inJwt(() => inParser(() => inArgon2(() => number())).length));
    record(() => inParser((index) => inParser(() => inJwt(() => inArgon2(() => index + number()).length))));
    record(() => inQuery(() => inArgon2(() => inJwt(() => number()).length)));
  }

  // An error of the innermost passes through all of them, and leaves them able to work.
  const failures = [() => bcrypt.hashSync('x', 'no salt'), () => crc32.crc32(5), () => sodium.crypto_hash(Buffer.alloc(1), bytes(1)),
    () => jwt.decodeHeader('x'), () => new XXHash3(bytes(5))];
  for (const fail of failures) {
    record(() => inParser(fail));
    record(() => inArgon2(() => inJwt(fail)));
    record(() => inJwt(() => inParser(() => inArgon2(fail))));
    record(() => inQuery(() => inArgon2(fail)));
    for (const call of calls) record(() => call(bytes(20)));
  }
});
