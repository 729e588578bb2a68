#!/usr/bin/env node
'use strict';
// The command line: napi-remote run app.js
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const tty = require('node:tty');

const USAGE = `Usage: napi-remote run [node options] script.js [arguments]

  run      runs the script with every native addon in a process of its own, as
           \`node -r napi-remote/register\` does

  -h, --help     shows this
  -v, --version  shows the version

NAPI_REMOTE_TRACE=1 prints each Node-API call of the addons on stderr.
`;

// Those that mean something to a program, and that a wrapper may take. SIGUSR1 makes Node listen for a debugger: the program's Node, not this one.
const FORWARDED = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'];

function usageError(message) {
  process.stderr.write(`napi-remote: ${message}\n\n${USAGE}`);
  process.exitCode = 2;
}

// Is this process group the one that the terminal sends ^C and ^\ to? Fields of /proc/PID/stat after the command, which may contain anything.
function isInForeground() {
  try {
    const stat = fs.readFileSync('/proc/self/stat', 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [, , group, , , foreground] = fields;
    return group === foreground;
  } catch {
    return false;
  }
}

// From the terminal both processes get the signal: once more would be one too many for programs that take the second ^C for "at once". Who starts
// a program with another stdin sends it signals by kill(2).
function cameToBoth(signal) {
  return (signal === 'SIGINT' || signal === 'SIGQUIT') && tty.isatty(0) && isInForeground();
}

// Ends as the program did, so that whoever waits for the wrapper sees the same.
function endBy(signal) {
  process.exitCode = 128 + os.constants.signals[signal];
  process.kill(process.pid, signal);
  // Node's own handler of a fault takes the first one for its own, and gives way to the second.
  setImmediate(() => process.kill(process.pid, signal));
}

// A wrapper that is invisible to its caller: same stdio, same signals, same end.
function run(args) {
  if (args.length === 0 || (args.length === 1 && args[0] === '--')) return usageError('run needs a script');
  if (args[0] === '--help' || args[0] === '-h') return void process.stdout.write(USAGE);
  const register = path.join(__dirname, 'register.js');
  const child = spawn(process.execPath, ['-r', register, ...args], { stdio: 'inherit' });
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      if (!cameToBoth(signal)) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`napi-remote: ${process.execPath} cannot be run: ${error.message}\n`);
    process.exitCode = 127;
  });
  child.on('exit', (code, signal) => {
    for (const name of FORWARDED) process.removeAllListeners(name);
    if (signal === null) process.exitCode = code;
    else endBy(signal);
  });
  return undefined;
}

function main([command, ...args]) {
  switch (command) {
    case 'run': return run(args);
    case 'help':
    case '--help':
    case '-h': return void process.stdout.write(USAGE);
    case '--version':
    case '-v': return void process.stdout.write(`${require('../package.json').version}\n`);
    case undefined: return usageError('a command is missing');
    default: return usageError(`unknown command "${command}"`);
  }
}

main(process.argv.slice(2));
