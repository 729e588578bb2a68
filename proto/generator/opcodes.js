'use strict';
// opcodes.h and opcodes.c: what both processes know of every row.

const { descriptor } = require('./names.js');
const { BASES } = require('./table.js');

function opcodesHeader(rows) {
  const hex = (number) => `0x${number.toString(16).padStart(3, '0')}`;
  return `/* Made by proto/generate.js from proto/napi.proto. */
#ifndef NR_OPCODES_H
#define NR_OPCODES_H

#include <protobuf-c/protobuf-c.h>

enum nr_opcode {
${rows.map((row) => `  NR_OP_${row.name.toUpperCase()} = ${hex(row.opcode)},\n`).join('')}};

struct nr_op_info {
  const char *name;
  const ProtobufCMessageDescriptor *request;
  const ProtobufCMessageDescriptor *reply;
};

/* The row of an opcode; NULL when there is none. */
const struct nr_op_info *nr_op_info(unsigned opcode);

#endif
`;
}

function opcodesSource(rows) {
  const services = Object.keys(BASES);
  const table = (service) => rows.filter((row) => row.service === service)
    .map((row) => `    {"${row.name}", &${descriptor(row.request)}, &${descriptor(row.reply)}},\n`).join('');
  return `/* Made by proto/generate.js from proto/napi.proto. */
#include "opcodes.h"

#include "napi.pb-c.h"

${services.map((service) => `static const struct nr_op_info ${service.toLowerCase()}_rows[] = {\n${table(service)}};\n`).join('\n')}
static const struct {
  const struct nr_op_info *rows;
  unsigned count;
} services[] = {
${services.map((service) => `    {${service.toLowerCase()}_rows, sizeof ${service.toLowerCase()}_rows / sizeof ${service.toLowerCase()}_rows[0]},\n`).join('')}};

const struct nr_op_info *nr_op_info(unsigned opcode) {
  unsigned service = opcode >> 8, place = opcode & 0xffu;
  if (service >= sizeof services / sizeof services[0] || place >= services[service].count) return NULL;
  return &services[service].rows[place];
}
`;
}

module.exports = { opcodesHeader, opcodesSource };
