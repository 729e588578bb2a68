'use strict';
// The handles of an addon among the phases of Node's loop: timers, poll, check, close, and the ticks and microtasks between. Only what is determined in
// one process: timers are made due by blocking before the loop turns.
const { programs } = require('./support/programs.js');

/** `body(addon, log, kit)` in the main script, or in a callback of each phase; what it logs is printed at the end. */
const runCase = (kit, source, from) => {
  const addon = kit.dlopen(kit.addonFile('uv_handles'));
  const lines = [];
  const tools = {
    log: (what) => lines.push(what),
    /** Passes so much time, so that timers are due when the loop comes to them. */
    block: (ms) => {
      const end = performance.now() + ms;
      while (performance.now() < end);
    },
    /** JavaScript that is to be seen between the callbacks. */
    ticks: (name) => {
      process.nextTick(() => lines.push(`tick ${name}`));
      queueMicrotask(() => lines.push(`microtask ${name}`));
    },
    immediate: (name, then = () => {}) => setImmediate(() => {
      lines.push(name);
      tools.ticks(name);
      then();
    }),
    timeout: (name, ms, then = () => {}) => setTimeout(() => {
      lines.push(name);
      tools.ticks(name);
      then();
    }, ms),
    /** A callback of a handle of the addon's. */
    on: (name, then = () => {}) => () => {
      lines.push(name);
      tools.ticks(name);
      then();
    },
    addon,
  };
  process.on('exit', () => kit.print(lines));
  const body = require('node:vm').runInThisContext(`(${source})`);
  const enter = {
    script: (run) => run(),
    immediate: (run) => setImmediate(run),
    timeout: (run) => setTimeout(run, 1),
    poll: (run) => require('node:fs').stat('/', run),
    close: (run) => require('node:fs').createReadStream('/dev/null').on('close', run).resume(),
  }[from];
  enter(() => body(tools));
};

const cases = {
  'an async that is sent, and an immediate': ({ addon, immediate, on }) => {
    const id = addon.async(on('async', () => addon.close(id)));
    addon.send(id, false, false);
    immediate('immediate');
  },
  'an async that a thread has sent, and an immediate': ({ addon, immediate, on }) => {
    const id = addon.async(on('async', () => addon.close(id)));
    addon.send(id, true, true);
    immediate('immediate');
  },
  'an immediate in an async, an async in an immediate': ({ addon, immediate, on, log }) => {
    let count = 0;
    const id = addon.async(on('async', () => {
      immediate('immediate in the async', () => {
        if (++count < 4) addon.send(id, false, false);
        else addon.close(id, () => log('closed'));
      });
    }));
    immediate('immediate', () => addon.send(id, false, false));
  },
  'a timer that is due, and an immediate': ({ addon, immediate, on, block }) => {
    const id = addon.timer(on('timer', () => addon.close(id)), 1, 0);
    block(20);
    immediate('immediate');
  },
  'the addon\'s timer before Node\'s': ({ addon, timeout, on, block }) => {
    const id = addon.timer(on('timer 1', () => addon.close(id)), 1, 0);
    timeout('timeout 10', 10);
    block(30);
  },
  'Node\'s timer before the addon\'s': ({ addon, timeout, on, block }) => {
    timeout('timeout 1', 1);
    const id = addon.timer(on('timer 10', () => addon.close(id)), 10, 0);
    block(30);
  },
  'a handle that is closed, and an immediate': ({ addon, immediate, on }) => {
    const id = addon.async(() => {});
    addon.close(id, on('closed'));
    immediate('immediate', () => immediate('immediate in the immediate'));
  },
  'handles that are closed one after the other': ({ addon, immediate, on }) => {
    const ids = [0, 1, 2].map(() => addon.async(() => {}));
    for (const [i, id] of ids.entries()) addon.close(id, on(`closed ${i}`, () => immediate(`immediate ${i}`)));
  },
  'a handle that is closed in the closing of another': ({ addon, immediate, on }) => {
    const [first, second] = [addon.async(() => {}), addon.async(() => {})];
    addon.close(first, on('first', () => {
      addon.close(second, on('second'));
      immediate('immediate in between');
    }));
    immediate('immediate');
  },
  'a handle that is closed in a timer, in an immediate': ({ addon, immediate, on, block }) => {
    const [one, two] = [addon.async(() => {}), addon.timer(() => {}, 1e6, 0)];
    const id = addon.timer(on('timer', () => {
      addon.close(id, on('timer closed'));
      addon.close(one, on('one closed'));
      immediate('immediate in the timer', () => addon.close(two, on('two closed')));
    }), 1, 0);
    block(20);
  },
  'closed and sent': ({ addon, immediate, on }) => {
    const [one, two] = [addon.async(on('async one')), addon.async(on('async two', () => addon.close(two, on('closed two'))))];
    addon.send(two, false, false);
    addon.close(one, on('closed one'));
    immediate('immediate');
  },
  'a check and immediates': ({ addon, immediate, on }) => {
    let count = 0;
    const id = addon.check(on('check', () => {
      if (++count === 3) addon.close(id, on('closed'));
      else immediate('immediate in the check');
    }));
    const spin = () => { if (count < 3) setImmediate(spin); };
    spin();
  },
  'a prepare, an async, immediates': ({ addon, immediate, on }) => {
    let count = 0;
    const async = addon.async(on('async', () => addon.close(async, on('async closed'))));
    const id = addon.prepare(on('prepare', () => {
      if (++count === 1) addon.send(async, false, false);
      if (count === 3) addon.close(id, on('closed'));
      else immediate(`immediate ${count}`);
    }));
    immediate('immediate');
  },
  'idle, prepare and check, and immediates': ({ addon, immediate, on }) => {
    const seen = { idle: 0, prepare: 0, check: 0 };
    for (const kind of Object.keys(seen)) {
      const id = addon[kind](on(kind, () => {
        if (++seen[kind] === 3) addon.close(id, on(`${kind} closed`));
        else immediate(`immediate in the ${kind}`);
      }));
    }
  },
  'an idle handle that is started in an immediate': ({ addon, immediate, on }) => {
    immediate('immediate', () => {
      const id = addon.idle(on('idle', () => addon.close(id, on('closed'))));
      immediate('next immediate');
    });
  },
};

for (const from of ['script', 'immediate', 'timeout', 'poll', 'close']) {
  for (const [name, body] of Object.entries(cases)) programs({ [`${name}; from ${from}`]: runCase }, { args: [String(body), from] });
}

programs({
  'turns that the addon makes from inside a call': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    const turn = (what) => {
      addon.runNowait(1);
      kit.print(`turned ${what}`);
    };
    for (let i = 0; i < 2; i++) {
      addon.close(addon.async(() => {}), () => kit.print(`closed ${i}`));
      setImmediate(() => kit.print(`immediate ${i}`));
      turn('for the closing');
      const id = addon.timer(() => {
        kit.print('timer');
        addon.close(id, () => kit.print('timer closed'));
        setImmediate(() => kit.print('immediate in the timer'));
      }, 0, 0);
      turn('for the timer');
      turn('once more');
    }
  },
});

// With one thread in the pool a work is complete as soon as the one behind it is executed.
const worksAndFunctions = (kit, source) => {
  const works = kit.dlopen(kit.addonFile('async_work'));
  const functions = kit.dlopen(kit.addonFile('tsfn'));
  const lines = [];
  const tools = {
    log: (what) => lines.push(what),
    /** A work that is complete, but for its callback, when this returns. */
    complete: (name, then = () => {}) => {
      works.queue(works.create({ remove: 'last', callback: () => { lines.push(name); then(); } }));
      const last = works.create({ remove: 'last' });
      works.queue(last);
      while (!works.isExecuted(last)) ;
    },
    /** Calls a threadsafe function of its own. */
    call: (name, then = () => {}) => {
      const id = functions.create(() => { lines.push(name); then(); }, { callJs: true, plain: true });
      functions.call(id, 0);
      functions.release(id);
    },
  };
  process.on('exit', () => kit.print(lines));
  require('node:vm').runInThisContext(`(${source})`)(tools);
};

const order = {
  'a work that is complete before a threadsafe function is called': ({ complete, call }) => {
    complete('work');
    call('function');
  },
  'a work that is complete after a threadsafe function was called': ({ complete, call }) => {
    call('function');
    complete('work');
  },
  'a work that is complete inside a threadsafe function': ({ complete, call }) => {
    call('function 1', () => {
      complete('work');
      call('function 3');
      setImmediate(() => call('function 4'));
    });
    call('function 2');
  },
};

for (const [name, body] of Object.entries(order)) programs({ [name]: worksAndFunctions }, { args: [String(body)], env: { UV_THREADPOOL_SIZE: '1' } });
