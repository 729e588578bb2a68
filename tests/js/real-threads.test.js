'use strict';
// Published addons in Worker threads and the main thread at once, in-process and isolated: what each thread gets, and how the Workers end.
const { programs } = require('./support/programs.js');

/** What all threads do, with the addons that `use` names. Digests only: the same lines from each. */
const work = async (use, seed) => {
  const { createRequire } = require('node:module');
  const { createHash } = require('node:crypto');
  const path = require('node:path');
  const load = createRequire(path.join(use.root, 'package.json'));
  const sha = (data) => createHash('sha256').update(data).digest('hex').slice(0, 16);
  const bytes = (length) => Buffer.from(Array.from({ length }, (_, i) => (i * seed * 7 + (i >> 3)) & 255));
  const exercises = {
    'bcrypt': async (addon) => [addon.hashSync('secret', '$2b$04$abcdefghijklmnopqrstuu'), await addon.hash('other', '$2b$04$abcdefghijklmnopqrstuu')],
    'argon2': async (addon) => addon.hash('secret', { memoryCost: 64, timeCost: 2, parallelism: 1, salt: bytes(16) }),
    '@node-rs/argon2': async (addon) => [
      addon.hashSync('secret', { memoryCost: 64, timeCost: 1, salt: bytes(16) }), await addon.hash('other', { memoryCost: 64, timeCost: 1, salt: bytes(16) }),
    ],
    '@node-rs/crc32': (addon) => [addon.crc32(bytes(10000)), addon.crc32c('text')],
    '@node-rs/xxhash': (addon) => [addon.xxh32(bytes(5000), 1), String(addon.xxh64(bytes(5000)))],
    'snappy': async (addon) => [sha(addon.compressSync(bytes(60000))), sha(await addon.uncompress(await addon.compress(bytes(60000))))],
    'lz4-napi': async (addon) => sha(await addon.uncompress(await addon.compress(bytes(60000)))),
    '@mongodb-js/zstd': async (addon) => sha(await addon.decompress(await addon.compress(bytes(60000), 3))),
    'sharp': async (addon) => {
      const image = addon({ create: { width: 40, height: 30, channels: 3, background: { r: seed, g: 9, b: 200 } } });
      const { data, info } = await image.resize(20).raw().toBuffer({ resolveWithObject: true });
      return [sha(data), info.width, info.height];
    },
    '@napi-rs/canvas': (addon) => {
      const canvas = addon.createCanvas(20, 20), context = canvas.getContext('2d');
      context.fillStyle = '#123456';
      context.fillRect(2, 2, 10 + seed, 5);
      return sha(Buffer.from(context.getImageData(0, 0, 20, 20).data));
    },
    '@resvg/resvg-js': async (addon) => {
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><rect width="${5 + seed}" height="7" fill="red"/></svg>`;
      return [sha(new addon.Resvg(svg).render().pixels), sha((await addon.renderAsync(svg)).pixels)];
    },
    '@swc/core': async (addon) => [addon.transformSync('const a = () => 1;', { swcrc: false }).code, (await addon.transform('let b', { swcrc: false })).code],
    'lightningcss': (addon) => String(addon.transform({ filename: 'a.css', code: Buffer.from('a { color: #ff0000 }'), minify: true }).code),
    'tree-sitter': (addon) => {
      const parser = new addon();
      parser.setLanguage(load('tree-sitter-javascript'));
      return parser.parse(`let a = ${seed};`).rootNode.toString();
    },
    'sodium-native': (addon) => {
      const hash = Buffer.alloc(addon.crypto_generichash_BYTES);
      addon.crypto_generichash(hash, bytes(1000));
      return sha(hash);
    },
    'utf-8-validate': (addon) => [addon(bytes(50)), addon(Buffer.from('äö'))],
    'bufferutil': (addon) => {
      const output = Buffer.alloc(100);
      addon.mask(bytes(100), bytes(4), output, 0, 100);
      return sha(output);
    },
  };
  const results = {};
  for (const name of use.names) results[name] = await exercises[name](load(name));
  return results;
};

const inThreads = async (kit, names, count, source) => {
  const { Worker } = require('node:worker_threads');
  const use = { root: kit.root, names };
  const program = `const { parentPort, workerData } = require('node:worker_threads');
    (async () => {
      for (let i = 0; i < 3; i++) parentPort.postMessage(await (${source})(workerData.use, workerData.seed));
    })();`;
  const runs = Array.from({ length: count }, (_, seed) => new Promise((resolve) => {
    const got = [];
    const worker = new Worker(program, { eval: true, workerData: { use, seed: seed + 1 } });
    worker.on('message', (message) => got.push(message));
    worker.on('error', (error) => got.push(`${error.name}: ${error.message}`));
    worker.on('exit', (code) => resolve([code, got]));
  }));
  const own = [];
  const exercise = (0, eval)(`(${source})`);
  for (let i = 0; i < 3; i++) own.push(await exercise(use, 9));
  kit.print(own);
  for (const run of runs) kit.print(await run);
};

function threads(what, names, count = 3) {
  programs({ [`${what}, in ${count} Workers and the main thread`]: inThreads }, { args: [names, count, String(work)] });
}

threads('password hashes', ['bcrypt', 'argon2', '@node-rs/argon2']);
threads('digests', ['@node-rs/crc32', '@node-rs/xxhash', 'utf-8-validate', 'bufferutil', 'sodium-native'], 6);
threads('codecs', ['snappy', 'lz4-napi', '@mongodb-js/zstd']);
threads('images', ['sharp', '@napi-rs/canvas', '@resvg/resvg-js']);
threads('compilers', ['@swc/core', 'lightningcss', 'tree-sitter'], 2);
