'use strict';
// Published password hashes and tokens, compared in-process and isolated: options objects, objects converted both ways, errors with codes.
const crypto = require('node:crypto');
const { compareAddon } = require('./support/real.js');

compareAddon('bcrypt', { values: 70, errors: 100 }, ({ addon, record, bytes, odd }) => {
  const good = ['$2b$04$abcdefghijklmnopqrstuu', '$2a$04$......................', '$2b$05$zyxwvutsrqponmlkjihgfe'];
  const salts = [...good, 'no salt', '', '$2b$99$abcdefghijklmnopqrstuu'];
  for (const input of ['', 'secret', 'ä€😀', 'a\0b', 'x'.repeat(71), 'x'.repeat(72), 'x'.repeat(73), 'x'.repeat(300), bytes(30), bytes(100)]) {
    for (const salt of salts) record(() => addon.hashSync(input, salt));
    record(() => addon.compareSync(input, addon.hashSync(input, salts[0])));
    record(() => addon.compareSync('other', addon.hashSync(input, salts[0])));
    record(() => addon.getRounds(addon.hashSync(input, salts[2])));
  }
  for (const value of ['', 'no hash', '$2b$10$', ...odd]) {
    record(() => addon.getRounds(value));
    record(() => addon.compareSync('secret', value));
    record(() => addon.compareSync(value, 'no hash'));
    record(() => addon.hashSync(value, salts[0]));
    // These stand for a number of rounds: then the salt is random.
    if (typeof value !== 'number' && value !== undefined) record(() => addon.hashSync('secret', value));
  }
  for (const rounds of [4, 5, 10, 31]) record(() => addon.genSaltSync(rounds).slice(0, 7));
  record(() => addon.compareSync('secret', addon.hashSync('secret', 4)));
});

compareAddon('@node-rs/argon2', { values: 290, errors: 250 }, ({ addon, record, random, pick, bytes, inputs, odd }) => {
  const quick = { memoryCost: 64, timeCost: 1, salt: bytes(16) };
  for (const input of inputs) {
    record(() => addon.hashSync(input, quick));
    record(() => addon.verifySync(addon.hashSync(input, quick), input));
  }
  for (let i = 0; i < 60; i++) {
    const options = { ...quick, salt: bytes(8 + random(40)), outputLen: 4 + random(60), timeCost: 1 + random(2), parallelism: 1 + random(3) };
    if (random(2)) options.algorithm = random(3);
    if (random(2)) options.version = random(2);
    if (random(2)) options.secret = bytes(random(40));
    const hash = addon.hashSync('secret', options);
    record(() => hash);
    record(() => addon.parseOptions(pick([hash, Buffer.from(hash)])));
    record(() => [addon.verifySync(hash, 'secret', options), addon.verifySync(hash, 'secret'), addon.verifySync(hash, 'Secret', options)]);
  }
  const names = ['memoryCost', 'timeCost', 'outputLen', 'parallelism', 'algorithm', 'version', 'secret', 'salt'];
  for (const value of [...odd, -1, 0, 3, 256, 2 ** 32, '5', Buffer.alloc(3)]) {
    for (const name of names) {
      // A random salt cannot be compared, the default costs take long, and -1 stands for 2^32 - 1.
      if (['salt', 'memoryCost', 'timeCost'].includes(name) && (value === undefined || value === null)) continue;
      if (['memoryCost', 'timeCost', 'outputLen'].includes(name) && value === -1) continue;
      record(() => addon.hashSync('x', { ...quick, [name]: value }));
    }
    record(() => addon.hashSync(value, quick));
    record(() => addon.verifySync(value, 'x'));
    record(() => addon.verifySync('$argon2id$', value));
    record(() => addon.parseOptions(value));
  }
  // What reads of options may run into.
  const asked = [];
  const watched = new Proxy(quick, {
    get: (target, key) => asked.push(String(key)) && target[key],
    has: (target, key) => asked.push(`has ${String(key)}`) && key in target,
  });
  record(() => addon.hashSync('x', watched));
  record(() => asked);
  record(() => addon.hashSync('x', Object.create(quick)));
  record(() => addon.hashSync('x', { ...quick, get outputLen() { throw new RangeError('from the getter'); } }));
  record(() => addon.hashSync('x', { ...quick, get outputLen() { return addon.parseOptions(addon.hashSync('y', quick)).saltLen; } }));
  record(() => addon.hashSync('x', { ...quick, get secret() { throw undefined; } }));
  record(() => addon.hashSync());
  record(() => addon.verifySync('$argon2id$'));
  record(() => Object.entries(addon).sort());
});

compareAddon('@node-rs/argon2', { values: 20, errors: 0, what: 'raw hashes' }, ({ addon, record, bytes }) => {
  const quick = { memoryCost: 64, timeCost: 1, salt: bytes(16) };
  for (let outputLen = 4; outputLen < 100; outputLen += 4) record(() => addon.hashRawSync('x', { ...quick, outputLen }));
});

/** A private and a public key. */
function keyPair(type, options) {
  const { privateKey, publicKey } = crypto.generateKeyPairSync(type, options);
  return [privateKey.export({ format: 'pem', type: 'pkcs8' }), publicKey.export({ format: 'pem', type: 'spki' })];
}

const keys = {
  RS256: keyPair('rsa', { modulusLength: 2048 }),
  ES256: keyPair('ec', { namedCurve: 'P-256' }),
  ES384: keyPair('ec', { namedCurve: 'P-384' }),
  EdDSA: keyPair('ed25519'),
};

// The binary itself: its loader is the same as that of the others of @node-rs.
const signed = { values: 280, errors: 250, given: { keys } };
compareAddon('@node-rs/jsonwebtoken-linux-x64-gnu', signed, ({ addon, record, random, pick, bytes, text, odd, keys }) => {
  const { signSync, verifySync, decodeHeader } = addon;
  const free = { validateExp: false, requiredSpecClaims: [] };

  const value = (depth) => {
    const kinds = [() => random(1000), () => -random(2 ** 31) * random(2 ** 20), () => random(1000) / 7, () => text(random(40)), () => Boolean(random(2)),
      () => null, () => undefined];
    const nested = [() => Array.from({ length: random(5) }, () => value(depth - 1)), () => object(depth - 1)];
    return pick(depth > 0 ? [...kinds, ...nested] : kinds)();
  };
  const object = (depth) => Object.fromEntries(Array.from({ length: random(6) }, () => [text(1 + random(12)), value(depth)]));

  for (let i = 0; i < 100; i++) {
    const claims = { ...object(3), iat: random(10 ** 9) };
    const key = pick([text(1 + random(50)), bytes(1 + random(100))]);
    const algorithm = pick(['HS256', 'HS384', 'HS512']);
    record(() => signSync(claims, key, { algorithm }));
    record(() => verifySync(signSync(claims, key, { algorithm }), key, { ...free, algorithms: [algorithm] }));
    if (i % 10 === 0) record(() => verifySync(signSync(claims, key), 'another key', free));
  }

  const deep = { iat: 1 };
  for (let i = 0, at = deep; i < 200; i++) at = at.next = { list: [i] };
  const numbers = Array.from({ length: 3000 }, (_, i) => i);
  const wide = { iat: 1, ...Object.fromEntries(numbers.map((i) => [`key ${i}`, i])), list: numbers.map(String) };
  for (const claims of [deep, wide, { iat: 1, long: 'x'.repeat(100000) }, { iat: 1, '': '', '\0': '\0', ['\ud800']: '\udc00' }]) {
    record(() => signSync(claims, 'key'));
    record(() => verifySync(signSync(claims, 'key'), 'key', free));
  }
  for (const [, odder] of [...odd, 2 ** 53, -(2 ** 63), 1e300, -0, Infinity, 2n ** 64n, -1n, new Map([[1, 2]]), new Error('x'), [1, , 3]].entries()) {
    record(() => signSync({ iat: 1, odder }, 'key'));
    record(() => verifySync(signSync({ iat: 1, list: [odder] }, 'key'), 'key', free));
    record(() => signSync({ iat: 1 }, odder));
    record(() => signSync({ iat: 1 }, 'key', odder));
    record(() => signSync({ iat: 1 }, 'key', { algorithm: odder, keyId: 'k' }));
    record(() => verifySync(odder, 'key'));
    record(() => verifySync('a.b.c', odder));
    record(() => verifySync('a.b.c', 'key', odder));
    record(() => verifySync(signSync({ iat: 1 }, 'key'), 'key', { ...free, leeway: odder, aud: odder }));
    record(() => decodeHeader(odder));
  }

  // Headers and what is validated.
  const headers = {
    contentType: 'JWT', jsonKeyUrl: 'u', keyId: 'id', x5Url: 'u', x5CertChain: ['a', 'b'], x5CertThumbprint: 't', x5TS256CertThumbprint: 's',
  };
  for (const [name, header] of Object.entries(headers)) {
    record(() => decodeHeader(signSync({ iat: 1 }, 'key', { [name]: header })));
    record(() => decodeHeader(signSync({ iat: 1 }, 'key', { [name]: 5 })));
  }
  record(() => decodeHeader(signSync({ iat: 1 }, 'key', headers)));
  record(() => decodeHeader(signSync({ iat: 1 }, 'key', { ...headers, get keyId() { throw new TypeError('from the getter'); } })));
  const future = { iat: 1, exp: 2 ** 40, nbf: 2 ** 39, aud: 'a', iss: 'i', sub: 's' };
  const past = { ...future, exp: 5, nbf: 1 };
  const wanted = [{}, { aud: ['a', 'b'] }, { aud: ['b'] }, { aud: 'a' }, { iss: ['i'] }, { iss: [] }, { iss: [5] }, { sub: 's' }, { sub: 'x' },
    { validateNbf: true }, { validateExp: false }, { leeway: 2 ** 32 - 1 }, { requiredSpecClaims: ['jti', 'sub'] }, { requiredSpecClaims: ['nbf'] },
    { algorithms: [] }, { algorithms: ['HS384'] }, { validateSignature: false }];
  for (const claims of [future, past, { iat: 1 }]) for (const want of wanted) record(() => verifySync(signSync(claims, 'key'), 'key', want));

  // Public keys. Signatures with chance in them are only verified.
  for (const [algorithm, [privateKey, publicKey]] of Object.entries(keys)) {
    const token = signSync({ iat: 1, text: 'ä€😀' }, privateKey, { algorithm });
    record(() => [token.split('.').slice(0, 2), verifySync(token, publicKey, { ...free, algorithms: [algorithm] })]);
    record(() => verifySync(token, Buffer.from(publicKey), { ...free, algorithms: [algorithm] }));
    record(() => verifySync(token.slice(0, -4) + 'AAAA', publicKey, { ...free, algorithms: [algorithm] }));
    record(() => verifySync(token, 'no key', { ...free, algorithms: [algorithm] }));
    record(() => signSync({ iat: 1 }, publicKey, { algorithm }));
  }
  record(() => Object.entries(addon).sort());
});

compareAddon('secp256k1', { values: 30, errors: 100 }, ({ addon, record, bytes, odd }) => {
  const [key, message] = [Buffer.alloc(32, 7), Buffer.alloc(32, 9)];
  const open = addon.publicKeyCreate(key);
  const { signature, recid } = addon.ecdsaSign(message, key);
  record(() => [open, signature, recid, addon.privateKeyVerify(key), addon.publicKeyConvert(open, false), addon.publicKeyVerify(open)]);
  record(() => [addon.ecdsaVerify(signature, message, open), addon.ecdsaVerify(signature, bytes(32), open), addon.ecdsaRecover(signature, recid, message)]);
  record(() => addon.signatureImport(addon.signatureExport(signature)));
  record(() => [addon.ecdh(open, key), addon.ecdh(open, key, { data: bytes(10) }, Buffer.alloc(32))]);
  record(() => addon.ecdh(open, key, { hashfn: (x, y) => new Uint8Array([...x.slice(0, 16), ...y.slice(0, 16)]) }, Buffer.alloc(32)));
  record(() => addon.ecdh(open, key, { hashfn: () => { throw new RangeError('mine'); } }, Buffer.alloc(32)));
  record(() => addon.ecdsaSign(message, key, { data: Buffer.alloc(32), noncefn: () => new Uint8Array(32).fill(3) }));
  record(() => addon.ecdsaSign(message, key, { noncefn: () => { throw new RangeError('mine'); } }));
  for (const change of ['TweakAdd', 'TweakMul']) {
    record(() => addon[`privateKey${change}`](Buffer.from(key), message));
    record(() => addon[`publicKey${change}`](open, message));
  }
  record(() => [addon.publicKeyCombine([open, open]), addon.publicKeyNegate(open), addon.privateKeyNegate(Buffer.from(key))]);
  for (let i = 0; i < 20; i++) record(() => addon.ecdsaSign(bytes(32), bytes(32)));
  for (const value of odd) {
    for (const name of ['publicKeyCreate', 'publicKeyConvert', 'publicKeyCombine', 'signatureNormalize', 'signatureImport']) record(() => addon[name](value));
    record(() => addon.ecdsaSign(value, key));
    record(() => addon.ecdsaSign(message, key, value));
    record(() => addon.ecdsaVerify(value, message, open));
  }
});
