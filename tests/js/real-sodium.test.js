'use strict';
// libsodium's bindings, compared in-process and isolated: plain C with many arguments, most of them views that are written to, or hold a
// state that lives from call to call.
const { compareAddon } = require('./support/real.js');

compareAddon('sodium-native', { values: 2000, errors: 2000, what: 'each function' }, ({ addon, record, bytes, odd }) => {
  record(() => addon);

  // Arguments: `out` is written, `key` is given, both of a fixed length that is checked; `view` has the length of the message and some more.
  const out = (size) => ({ size, make: () => Buffer.alloc(size, 0xee) });
  const key = (size) => ({ size, make: () => bytes(size) });
  const view = (extra = 0) => ({ make: (length) => Buffer.alloc(length + extra, 0xee) });
  const message = { make: (length) => bytes(length) };
  const just = (value) => ({ make: () => value });
  const nothing = just(null);
  const nonce = key(24);
  const key32 = key(32);
  const scalar = key(32);
  const table = {
    randombytes_buf_deterministic: [view(), key32],
    sodium_memzero: [message],
    sodium_memcmp: [message, message],
    sodium_increment: [message],
    sodium_add: [message, message],
    sodium_sub: [message, message],
    sodium_compare: [message, message],
    sodium_is_zero: [message],
    crypto_aead_xchacha20poly1305_ietf_encrypt: [view(16), message, key(20), nothing, nonce, key32],
    crypto_aead_chacha20poly1305_ietf_encrypt: [view(16), message, nothing, nothing, key(12), key32],
    crypto_aead_xchacha20poly1305_ietf_encrypt_detached: [view(), out(16), message, nothing, nothing, nonce, key32],
    crypto_aead_chacha20poly1305_ietf_encrypt_detached: [view(), out(16), message, just(bytes(3)), nothing, key(12), key32],
    crypto_auth: [out(32), message, key32],
    crypto_box_seed_keypair: [out(32), out(32), key32],
    crypto_box_easy: [view(16), message, nonce, key32, key32],
    crypto_box_detached: [view(), out(16), message, nonce, key32, key32],
    crypto_core_ed25519_from_uniform: [out(32), key32],
    crypto_core_ed25519_scalar_reduce: [out(32), key(64)],
    crypto_core_ed25519_scalar_invert: [out(32), scalar],
    crypto_core_ed25519_scalar_negate: [out(32), scalar],
    crypto_core_ed25519_scalar_complement: [out(32), scalar],
    crypto_core_ed25519_scalar_add: [out(32), scalar, scalar],
    crypto_core_ed25519_scalar_sub: [out(32), scalar, scalar],
    crypto_kdf_derive_from_key: [out(64), just(12345), key(8), key32],
    crypto_kx_seed_keypair: [out(32), out(32), key32],
    crypto_generichash: [out(32), message],
    crypto_hash: [out(64), message],
    crypto_hash_sha256: [out(32), message],
    crypto_hash_sha512: [out(64), message],
    crypto_onetimeauth: [out(16), message, key32],
    crypto_scalarmult_base: [out(32), scalar],
    crypto_scalarmult: [out(32), scalar, key32],
    crypto_scalarmult_ed25519_base: [out(32), scalar],
    crypto_secretbox_easy: [view(16), message, nonce, key32],
    crypto_secretbox_open_easy: [message, view(16), nonce, key32],
    crypto_secretbox_detached: [view(), out(16), message, nonce, key32],
    crypto_shorthash: [out(8), message, key(16)],
    crypto_sign_seed_keypair: [out(32), out(64), key32],
    crypto_sign: [view(64), message, key(64)],
    crypto_sign_detached: [out(64), message, key(64)],
    crypto_sign_verify_detached: [key(64), message, key32],
    crypto_sign_ed25519_sk_to_pk: [out(32), key(64)],
    crypto_sign_ed25519_pk_to_curve25519: [out(32), key32],
    crypto_sign_ed25519_sk_to_curve25519: [out(32), key(64)],
    crypto_stream: [view(), nonce, key32],
    crypto_stream_xor: [view(), message, nonce, key32],
    crypto_stream_chacha20_xor_ic: [view(), message, key(8), just(7), key32],
    crypto_stream_chacha20_ietf_xor: [view(), message, key(12), key32],
    crypto_stream_xchacha20_xor: [view(), message, nonce, key32],
    crypto_stream_salsa20_xor_ic: [view(), message, key(8), just(0xffffffff), key32],
    extension_tweak_ed25519_base: [out(32), out(32), message],
    extension_tweak_ed25519_scalar: [out(32), scalar, message],
    extension_tweak_ed25519_scalar_add: [out(32), scalar, scalar],
  };

  const isTypedArray = (value) => ArrayBuffer.isView(value) && !(value instanceof DataView);
  for (const [name, kinds] of Object.entries(table)) {
    const call = addon[name];
    const make = (length) => kinds.map((kind) => kind.make(length));
    const recordCall = (args) => {
      record(() => call(...args));
      record(() => [name, args]);
    };
    for (const length of [0, 1, 31, 64, 255, 5000]) recordCall(make(length));
    for (let count = 0; count < kinds.length; count++) record(() => call(...make(10).slice(0, count)));
    for (const [index, { size }] of kinds.entries()) {
      if (kinds[index] === nothing) continue;
      const recordWith = (value) => recordCall(make(10).with(index, value));
      odd.filter((value) => !isTypedArray(value) && typeof value !== 'number').forEach(recordWith);
      // Lengths are checked one after the other, so the first error tells the order of the reads.
      if (size !== undefined) [0, size - 1, size + 1].forEach((wrong) => recordWith(Buffer.alloc(wrong)));
    }
  }
});

compareAddon('sodium-native', { values: 900, errors: 55, what: 'views and states' }, ({ addon, record, bytes, lengths, random }) => {
  const { crypto_generichash_STATEBYTES: hashBytes, crypto_hash_sha256_STATEBYTES: shaBytes, crypto_onetimeauth_STATEBYTES: authBytes } = addon;

  // There and back again.
  for (const length of lengths) {
    const message = bytes(length);
    const [nonce, key] = [bytes(24), bytes(32)];
    const sealed = Buffer.alloc(length + 16);
    const opened = Buffer.alloc(length);
    addon.crypto_secretbox_easy(sealed, message, nonce, key);
    record(() => [sealed, addon.crypto_secretbox_open_easy(opened, sealed, nonce, key), opened]);
    sealed[length >> 1] ^= 1;
    record(() => [addon.crypto_secretbox_open_easy(opened, sealed, nonce, key), opened]);
    record(() => [addon.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, message, key, null, nonce, key), sealed]);
    record(() => [addon.crypto_aead_xchacha20poly1305_ietf_decrypt(opened, null, sealed, key, nonce, key), opened]);
    record(() => addon.crypto_aead_xchacha20poly1305_ietf_decrypt(opened, null, sealed, null, nonce, key));
    const [publicKey, secretKey] = [Buffer.alloc(32), Buffer.alloc(64)];
    addon.crypto_sign_seed_keypair(publicKey, secretKey, key);
    const signed = Buffer.alloc(length + 64);
    record(() => [addon.crypto_sign(signed, message, secretKey), signed, addon.crypto_sign_open(opened, signed, publicKey), opened.equals(message)]);
    record(() => addon.crypto_sign_open(opened, signed.fill(1, 3, 4), publicKey));
    addon.crypto_box_seal(Buffer.alloc(length + 48), message, key);
  }

  // Everything in one ArrayBuffer, and results over inputs.
  for (let round = 0; round < 40; round++) {
    const all = new Uint8Array(bytes(2000)).buffer;
    const part = (offset, length) => Buffer.from(all, offset, length);
    const length = random(900);
    record(() => addon.crypto_stream_xor(part(100, length), part(1000, length), part(0, 24), part(30, 32)));
    record(() => addon.crypto_stream_xor(part(100, length), part(100, length), part(0, 24), part(30, 32)));
    record(() => addon.crypto_secretbox_detached(part(100, length), part(64, 16), part(100, length), part(0, 24), part(30, 32)));
    record(() => addon.crypto_hash(part(1900, 64), part(0, 2000)));
    record(() => addon.crypto_generichash(part(1950 - random(20), 32), part(random(100), 1000), part(40, 32)));
    record(() => addon.sodium_increment(part(random(100), 7)));
    record(() => addon.sodium_add(part(10, 64), part(40, 64)));
    record(() => all);
  }

  // Views of every type: lengths in bytes come from their element sizes.
  const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array,
    BigInt64Array, BigUint64Array];
  for (const Kind of kinds) {
    for (const [offset, count] of [[0, 0], [0, 8], [16, 5], [40, 16]]) {
      const view = new Kind(new Uint8Array(bytes(200)).buffer, offset, count);
      record(() => [addon.crypto_generichash(Buffer.alloc(16), view)]);
      record(() => [addon.sodium_increment(view), view, view.buffer]);
      record(() => [addon.sodium_is_zero(view), addon.sodium_memzero(view), addon.sodium_is_zero(view), view.buffer]);
    }
    const output = new Kind(64 / Kind.BYTES_PER_ELEMENT);
    record(() => [addon.crypto_hash(output, new Kind(3)), output]);
  }

  // States that live in Buffers, between calls and beside each other.
  for (const key of [null, bytes(32), bytes(64)]) {
    const pool = new ArrayBuffer(2 * hashBytes);
    const states = [Buffer.from(pool, 0, hashBytes), Buffer.from(pool, hashBytes)];
    for (const state of states) addon.crypto_generichash_init(state, key, 32);
    for (const length of lengths) {
      for (const state of states) record(() => [addon.crypto_generichash_update(state, bytes(length)), state]);
    }
    const copy = Buffer.from(states[0]);
    const sum = Buffer.alloc(32);
    for (const state of [...states, copy]) record(() => [addon.crypto_generichash_final(state, sum), sum, state]);
  }
  const sha = Buffer.alloc(shaBytes);
  const auth = Buffer.alloc(authBytes);
  record(() => [addon.crypto_hash_sha256_init(sha), addon.crypto_onetimeauth_init(auth, bytes(32))]);
  for (const length of lengths) {
    const content = bytes(length);
    record(() => [addon.crypto_hash_sha256_update(sha, content), addon.crypto_onetimeauth_update(auth, content), sha]);
  }
  const [sum, tag] = [Buffer.alloc(32), Buffer.alloc(16)];
  record(() => [addon.crypto_hash_sha256_final(sha, sum), addon.crypto_onetimeauth_final(auth, tag), sum, tag]);
  record(() => addon.crypto_hash_sha256_init(Buffer.alloc(shaBytes - 1)));
  record(() => addon.crypto_hash_sha256_init(new Uint16Array(shaBytes / 2)));
  record(() => addon.crypto_hash_sha256_init(new DataView(new ArrayBuffer(shaBytes))));
  record(() => addon.crypto_hash_sha256_init(new ArrayBuffer(shaBytes)));

  for (const name of ['xor', 'chacha20_xor', 'chacha20_ietf_xor', 'xchacha20_xor', 'salsa20_xor']) {
    const prefix = `crypto_stream_${name}`;
    const state = Buffer.alloc(addon[`${prefix}_STATEBYTES`]);
    const nonceBytes = addon[`${prefix.replace(/_xor$/, '')}_NONCEBYTES`];
    record(() => addon[`${prefix}_init`](state, bytes(nonceBytes), bytes(32)));
    for (let i = 0; i < 12; i++) {
      const piece = bytes(random(200));
      record(() => [addon[`${prefix}_update`](state, piece, piece), piece, state]);
    }
    record(() => [addon[`${prefix}_final`](state), state]);
  }

  for (let length = 0; length < 30; length++) {
    const buffer = bytes(64);
    record(() => [addon.sodium_pad(buffer, length, 16), buffer, addon.sodium_unpad(buffer, 32, 16)]);
    record(() => addon.sodium_pad(buffer, 60 + length, 16));
  }
  record(() => addon.crypto_generichash_batch(sum, [bytes(5), bytes(0), bytes(3000)]) ?? sum);
  record(() => addon.crypto_generichash_batch(sum, []) ?? sum);
  record(() => addon.crypto_generichash_batch(sum, Array.from({ length: 500 }, (_, i) => bytes(i)), bytes(32)) ?? sum);

  const password = Buffer.from('secret');
  const stored = Buffer.alloc(addon.crypto_pwhash_STRBYTES);
  const { crypto_pwhash_OPSLIMIT_MIN: operations, crypto_pwhash_MEMLIMIT_MIN: memory, crypto_pwhash_ALG_ARGON2ID13: algorithm } = addon;
  record(() => [addon.crypto_pwhash(sum, password, bytes(16), operations, memory, algorithm), sum]);
  record(() => addon.crypto_pwhash(sum, password, bytes(16), -1, memory, algorithm));
  record(() => addon.crypto_pwhash(sum, password, bytes(16), NaN, memory, algorithm));
  record(() => addon.crypto_pwhash(sum, password, bytes(16), 2 ** 53, memory, algorithm));
  record(() => addon.crypto_pwhash(sum, password, bytes(16), operations, memory, 256));
  record(() => addon.crypto_pwhash_str(stored, password, operations, memory));
  record(() => [addon.crypto_pwhash_str_verify(stored, password), addon.crypto_pwhash_str_verify(stored, bytes(9))]);
  record(() => addon.crypto_pwhash_str_needs_rehash(stored, operations + 1, memory));
  record(() => addon.extension_pbkdf2_sha512(sum, password, bytes(16), 3, 32) ?? sum);

  // Random results: that there are some.
  for (const length of [1, 20, 70000]) record(() => addon.randombytes_buf(Buffer.alloc(length)));
  const random32 = Buffer.alloc(32);
  record(() => [addon.crypto_kdf_keygen(random32), random32.some((byte) => byte !== 0)]);
  const small = Array.from({ length: 50 }, () => addon.randombytes_uniform(10));
  record(() => small.every((number) => Number.isInteger(number) && number >= 0 && number < 10));
});

compareAddon('sodium-native', { values: 20, errors: 3, what: 'memory of its own' }, ({ addon, record, bytes }) => {
  for (const length of [1, 32, 5000]) {
    const secret = addon.sodium_malloc(length);
    record(() => secret);
    record(() => addon.randombytes_buf_deterministic(secret, bytes(32)));
    record(() => [secret, addon.sodium_mprotect_readonly(secret)]);
    const sum = Buffer.alloc(32);
    record(() => [addon.crypto_generichash(sum, secret), sum]);
    record(() => addon.sodium_mprotect_readwrite(secret));
    secret.fill(7);
    record(() => [addon.crypto_generichash(sum, secret), sum]);
    record(() => addon.sodium_memcmp(secret, Buffer.alloc(length, 7)));
    record(() => [addon.sodium_free(secret), secret.length, secret.buffer.byteLength]);
  }
  for (const value of ['x', null, {}]) record(() => addon.sodium_malloc(value) instanceof Buffer);
});
