'use strict';
// What a host prints, as streams that outlast it.
const net = require('node:net');
const { PassThrough } = require('node:stream');

/** One of a host's output: each process that the host comes to be is read from where it begins to its end. */
class Output {
  #stream = new PassThrough();
  #open = 0;

  get stream() {
    return this.#stream;
  }

  get hasEnded() {
    return this.#stream.writableEnded || this.#stream.destroyed;
  }

  /** `fd`: of a pipe, which is closed when its writer has ended. isLast(): will no other process print here then? */
  attach(fd, isLast) {
    const socket = new net.Socket({ fd, readable: true, writable: false });
    socket.unref();
    socket.on('error', () => {}); // the end of a pipe, in other words
    this.#open++;
    socket.once('close', () => {
      if (--this.#open === 0 && isLast()) this.#stream.end();
    });
    socket.pipe(this.#stream, { end: false });
  }
}

module.exports = { Output };
