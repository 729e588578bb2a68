'use strict';
// Names as protoc-c makes them.

const camel = (message) => `Nr__${message}`;
const upper = (message) => message.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
const lower = (message) => upper(message).toLowerCase();
const requestName = (message) => `NR__${upper(message)}__INIT`;
const descriptor = (message) => `nr__${lower(message)}__descriptor`;

module.exports = { camel, requestName, descriptor };
