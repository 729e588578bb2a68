/**
 * `node -r napi-remote/register app.js`: every native addon that the program loads lives in one host process, with no change to the program.
 */
export {};
