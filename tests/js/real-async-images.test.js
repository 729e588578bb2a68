'use strict';
// Published image libraries that work in the background, compared in-process and isolated: pixels go in and out on other threads.
const { compareAddon } = require('./support/real.js');

compareAddon('sharp', { values: 90, errors: 12, what: 'in the background' }, async ({ addon: sharp, settle, called, random, bytes, odd }) => {
  const image = (width, height, channels) => sharp(bytes(width * height * channels), { raw: { width, height, channels } });
  const pixels = (pipeline) => pipeline.raw().toBuffer({ resolveWithObject: true });
  for (const [width, height, channels] of [[1, 1, 3], [3, 5, 4], [64, 48, 3], [200, 100, 1], [300, 301, 4]]) {
    const source = await image(width, height, channels).png({ compressionLevel: 1 }).toBuffer();
    await settle(() => sharp(source).metadata());
    await settle(() => sharp(source).stats());
    await settle(() => pixels(sharp(source)));
    for (const size of [[10, 10], [33, null], [null, 20], [2 * width, height]]) await settle(() => pixels(sharp(source).resize(...size)));
    for (const format of ['png', 'jpeg', 'webp', 'tiff', 'gif']) {
      const packed = await settle(() => sharp(source).toFormat(format, { effort: format === 'webp' ? 0 : undefined }).toBuffer());
      await settle(() => sharp(packed).metadata());
      await settle(() => pixels(sharp(packed)));
    }
    await called((callback) => sharp(source).rotate(90).flip().raw().toBuffer(callback));
    await settle(() => pixels(sharp(source).extract({ left: 0, top: 0, width: 1 + (width >> 1), height: 1 + (height >> 1) }).negate()));
  }
  const canvas = { create: { width: 120, height: 90, channels: 4, background: { r: 10, g: 20, b: 30, alpha: 0.5 } } };
  const stamp = await image(20, 20, 4).png().toBuffer();
  await settle(() => pixels(sharp(canvas).composite([{ input: stamp, left: 5, top: 9 }, { input: stamp, left: 60, top: 9, blend: 'xor' }])));
  await settle(() => pixels(sharp(canvas).composite([{ input: stamp, tile: true }]).toColourspace('srgb').removeAlpha()));
  // What is no image, and what does not fit.
  for (const input of [Buffer.from('no image'), stamp.subarray(0, 60), '/no/such/file.png']) {
    await settle(() => sharp(input).metadata());
    await settle(() => sharp(input).raw().toBuffer());
    await settle(() => sharp(input).stats());
  }
  for (const value of odd.filter((each) => each !== undefined && each !== null)) await settle(async () => (await sharp(value).metadata()).width);
  await settle(() => sharp(stamp).extract({ left: 15, top: 15, width: 50, height: 50 }).toBuffer());
  // Through a stream, and many at once.
  await settle(() => {
    const transform = sharp().resize(7, 9).raw();
    transform.end(stamp);
    return transform.toBuffer();
  });
  await Promise.all(Array.from({ length: 24 }, () => settle(() => pixels(image(60, 40, 3).resize(1 + random(50), 1 + random(50))))));
  await settle(async () => sharp.counters());
});

compareAddon('@napi-rs/canvas', { values: 60, errors: 4, what: 'in the background' }, async ({ addon, record, settle, random, bytes }) => {
  const { createCanvas, loadImage, Image } = addon;
  const paint = (canvas) => {
    const context = canvas.getContext('2d');
    for (let i = 0; i < 12; i++) {
      context.fillStyle = `rgba(${random(256)}, ${random(256)}, ${random(256)}, 1)`;
      context.fillRect(random(canvas.width), random(canvas.height), 1 + random(canvas.width), 1 + random(canvas.height));
    }
    return canvas;
  };
  /** What an image that has been decoded looks like. */
  const shown = (image) => {
    const context = createCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    return Buffer.from(context.getImageData(0, 0, image.width, image.height).data);
  };
  for (const [width, height] of [[1, 1], [16, 16], [100, 40], [300, 200]]) {
    const canvas = paint(createCanvas(width, height));
    for (const format of ['png', 'jpeg', 'webp']) {
      const packed = await settle(() => canvas.encode(format, format === 'png' ? undefined : 80));
      const image = await loadImage(packed);
      record(() => [image.width, image.height, image.complete]);
      record(() => shown(image));
      await settle(async () => {
        const own = new Image();
        own.src = packed;
        await own.decode();
        return shown(own);
      });
    }
    await settle(() => canvas.toDataURLAsync('image/png'));
  }
  for (const input of [Buffer.from('no image'), bytes(300), Buffer.alloc(0)]) await settle(async () => (await loadImage(input)).width);
  await settle(() => createCanvas(4, 4).encode('no format'));
  const canvases = Array.from({ length: 30 }, () => paint(createCanvas(1 + random(80), 1 + random(80))));
  await Promise.all(canvases.map((canvas) => settle(() => canvas.encode('png'))));
});
