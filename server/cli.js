#!/usr/bin/env node
'use strict';
// The command line: napi-remote run app.js
const { spawn } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');

const USAGE = `Usage: napi-remote run [node options] script.js [arguments]

  run      runs the script with every native addon in a process of its own, as
           \`node -r napi-remote/register\` does

  --help     shows this
  --version  shows the version

NAPI_REMOTE_TRACE=1 prints each Node-API call of the addons on stderr.
`;

function usageError(message) {
  process.stderr.write(`napi-remote: ${message}\n\n${USAGE}`);
  process.exitCode = 2;
}

// A wrapper that is invisible to its caller: same stdio, same exit code, same signals.
function run(args) {
  if (args.length === 0) return usageError('run needs a script');
  const register = path.join(__dirname, 'register.js');
  const child = spawn(process.execPath, ['-r', register, ...args], { stdio: 'inherit' });
  const forwarded = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGINT', 'SIGQUIT'];
  for (const signal of forwarded) {
    // The terminal sends SIGINT and SIGQUIT to the child as well: they only must not end the wrapper first.
    process.on(signal, () => ((signal === 'SIGINT' || signal === 'SIGQUIT') && process.stdin.isTTY ? undefined : child.kill(signal)));
  }
  child.on('error', (error) => {
    process.stderr.write(`napi-remote: ${process.execPath} cannot be run: ${error.message}\n`);
    process.exitCode = 127;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    for (const name of forwarded) process.removeAllListeners(name);
    process.kill(process.pid, signal);
    // A signal that is ignored here, but was not there.
    setImmediate(() => process.exit(128 + os.constants.signals[signal]));
  });
  return undefined;
}

function main([command, ...args]) {
  switch (command) {
    case 'run': return run(args[0] === '--' ? args.slice(1) : args);
    case '--help': case '-h': case 'help': return void process.stdout.write(USAGE);
    case '--version': case '-v': return void process.stdout.write(`${require('../package.json').version}\n`);
    case undefined: return usageError('what shall I do?');
    default: return usageError(`unknown command "${command}"`);
  }
}

main(process.argv.slice(2));
