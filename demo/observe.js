'use strict';
// Loaded beside the program by demo/main.js: tells at the end which process ran which addon. Programs need nothing like it.
process.on('exit', () => {
  console.log(JSON.stringify({ node: process.pid, hosts: require('napi-remote').hosts() }));
});
