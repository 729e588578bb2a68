'use strict';
// The file that this process and the failing host share (struct nr_plan in faults.h): what the host is to do at which frame, and when it did it.
const fs = require('node:fs');

// In the order of enum nr_mode. How each may end: 'dies' with the host, 'hangs' until somebody ends the host, 'lies' with an error or without, 'stalls' like a
// lie, or until somebody ends the host, since one side waits for what the other will never send.
const MODES = {
  none: 'lies',
  exit: 'dies', kill: 'dies', segv: 'dies', abort: 'dies', exitBehind: 'dies', killBehind: 'dies', exitUncommitted: 'dies', killPartway: 'dies',
  hang: 'hangs', hangBehind: 'hangs', stop: 'hangs', lose: 'stalls', endless: 'hangs',
  kind: 'stalls', opcode: 'stalls', depth: 'lies', sequence: 'lies', env: 'lies', flags: 'lies', status: 'lies', reserved: 'lies', commit: 'lies',
  lengths: 'stalls', claim: 'stalls',
  short: 'lies', long: 'lies', bits: 'lies', tail: 'lies', nonsense: 'lies', value: 'lies', id: 'stalls', span: 'lies', number: 'stalls',
  twice: 'lies', unasked: 'lies', noise: 'stalls', flood: 'stalls',
  readIndex: 'stalls', sleeping: 'stalls', control: 'stalls', scribble: 'stalls', doorbell: 'stalls',
  recorderKill: 'dies', recorderSegv: 'dies',
  socketExit: 'dies', socketExitBehind: 'dies', socketHang: 'hangs', socketStop: 'hangs', socketLose: 'stalls', socketGarbage: 'stalls', socketLarge: 'stalls', socketTwice: 'lies',
  socketNumbers: 'lies', socketNoMemory: 'lies', socketManyFds: 'lies', socketWrongFd: 'lies',
};
/** These are at a message of the control socket: only in the scene `joining`, and there only they. */
const isOfSocket = (mode) => mode.startsWith('socket');
const NAMES = Object.keys(MODES);
const SIZE = 32;

class Plan {
  #file;
  #bytes = Buffer.alloc(SIZE);

  constructor(path, isNew = true) {
    this.path = path;
    this.#file = fs.openSync(path, isNew ? 'w+' : 'r+');
    if (isNew) this.write({ mode: 'none', frame: 0, seed: 0 });
  }

  write({ mode, frame, seed }) {
    this.#bytes.fill(0);
    this.#bytes.writeUInt32LE(NAMES.indexOf(mode), 0);
    this.#bytes.writeUInt32LE(frame, 4);
    this.#bytes.writeUInt32LE(seed, 8);
    fs.writeSync(this.#file, this.#bytes, 0, SIZE, 0);
  }

  /** {sent, fired, opcode, kind}; fired: hrtime in nanoseconds, 0n: not yet. */
  read() {
    fs.readSync(this.#file, this.#bytes, 0, SIZE, 0);
    const view = this.#bytes;
    return { sent: view.readUInt32LE(12), fired: view.readBigUInt64LE(16), opcode: view.readUInt32LE(24), kind: view.readUInt32LE(28) };
  }
}

module.exports = { MODES, Plan, isOfSocket };
