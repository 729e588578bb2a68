'use strict';
// Published image libraries, compared in-process and isolated, as far as they work at once: pixels that go in and out.
const { compareAddon } = require('./support/real.js');

compareAddon('@napi-rs/canvas', { values: 130, errors: 25 }, ({ addon, record, random, bytes, odd }) => {
  const { createCanvas, ImageData, Path2D, DOMMatrix } = addon;
  const sizes = [[1, 1], [3, 5], [16, 16], [100, 40], [300, 200], [640, 480]];
  const paint = (context, width, height) => {
    for (let i = 0; i < 12; i++) {
      context.fillStyle = `rgba(${random(256)}, ${random(256)}, ${random(256)}, 1)`;
      context.fillRect(random(width), random(height), 1 + random(width), 1 + random(height));
    }
  };
  for (const [width, height] of sizes) {
    const canvas = createCanvas(width, height);
    const context = canvas.getContext('2d');
    paint(context, width, height);
    record(() => Buffer.from(context.getImageData(0, 0, width, height).data));
    record(() => Buffer.from(canvas.data()));
    const image = new ImageData(new Uint8ClampedArray(bytes(width * height * 4).fill(255, 0, 4)), width, height);
    record(() => Buffer.from(image.data));
    record(() => context.putImageData(image, 0, 0));
    record(() => Buffer.from(context.getImageData(0, 0, 1, 1).data));
    // What JavaScript writes into the pixels of an image before it is put.
    const own = context.getImageData(0, 0, width, height);
    for (let i = 0; i < own.data.length; i += 4) own.data.set([i & 255, (i >> 8) & 255, 7, 255], i);
    record(() => context.putImageData(own, 0, 0));
    record(() => Buffer.from(context.getImageData(0, 0, width, height).data));
    for (const format of ['png', 'jpeg', 'webp']) record(() => canvas.encodeSync(format, format === 'png' ? undefined : 80));
    for (const format of ['image/png', 'image/jpeg', 'image/webp']) record(() => canvas.toBuffer(format));
    record(() => canvas.toDataURL('image/png'));
  }
  for (let i = 0; i < 60; i++) {
    const [width, height] = [1 + random(30), 1 + random(30)];
    const context = createCanvas(width, height).getContext('2d');
    paint(context, width, height);
    record(() => Buffer.from(context.getImageData(random(4), random(4), 1 + random(width), 1 + random(height)).data));
  }
  record(() => new Path2D('M10 10 h 80 v 80 h -80 Z').toSVGString());
  record(() => new DOMMatrix([1, 2, 3, 4, 5, 6]).toString());
  for (const value of odd.filter((each) => typeof each !== 'number')) {
    record(() => createCanvas(value, 10).width);
    record(() => new ImageData(value, 2, 2).width);
    record(() => createCanvas(4, 4).encodeSync(value));
  }
});

// All that does not start work in the background.
compareAddon('sharp', { values: 40, errors: 20 }, ({ addon: sharp, record, odd }) => {
  for (const name of ['versions', 'format', 'interpolators', 'kernel', 'fit', 'gravity']) record(() => sharp[name]);
  record(() => sharp.counters());
  for (const value of [undefined, false, true, { memory: 10 }, { files: 3, items: 7 }, ...odd]) {
    record(() => sharp.cache(value));
    record(() => sharp.cache());
  }
  for (const value of [undefined, 1, 2, 0, null, ...odd]) record(() => sharp.concurrency(value));
  for (const value of [undefined, false, true, ...odd]) record(() => sharp.simd(value));
  for (const value of odd) record(() => sharp(value).resize(value, 3).options.width);
  record(() => sharp.block({ operation: ['VipsForeignLoad'] }));
  record(() => sharp.unblock({ operation: ['VipsForeignLoad'] }));
  for (const value of odd) record(() => sharp.block({ operation: value }));
});
