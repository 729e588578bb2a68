'use strict';
// What a host prints, as streams that outlast it.
const net = require('node:net');
const { PassThrough } = require('node:stream');

/** One of a host's output: each process that the host comes to be is read from where it begins to its end. */
class Output {
  #stream = new PassThrough();

  get stream() {
    return this.#stream;
  }

  /** `fd`: of a pipe, which is closed when its writer has ended. */
  attach(fd) {
    const socket = new net.Socket({ fd, readable: true, writable: false });
    socket.unref();
    socket.on('error', () => {}); // the end of a pipe, in other words
    socket.pipe(this.#stream, { end: false });
  }
}

module.exports = { Output };
