/**
 * `node -r napi-remote/register app.js`: every native addon that the program loads lives in one host process for each thread, with no change to the program.
 * Loading it again does nothing. An addon that cannot be isolated throws when it is loaded, with the codes of `load()` in `napi-remote`.
 *
 * ```js
 * require('napi-remote/register');
 * const { hostOf } = require('napi-remote');
 * const crc32 = require('@node-rs/crc32-linux-x64-gnu');
 * console.log(crc32.crc32('hello'), hostOf(crc32).pid !== process.pid); // 907060870 true
 * ```
 */
export {};
