'use strict';
// The table: services, rows and messages of napi.proto. Understands the part of the language that the table uses, and says where it does not.

/** Opcodes of a service's rows start here; the row's position is added. */
const BASES = { Local: 0x000, Waited: 0x100, Posted: 0x200, Entry: 0x300 };

const ROW = /^\s*rpc\s+(\w+)\s*\((\w+)\)\s+returns\s+\((\w+)\)\s*;\s*(?:\/\/\s*(.*))?$/;
const FIELD = /^\s*(repeated\s+)?(\w+)\s+(\w+)\s*=\s*(\d+)\s*;/;

function parseNote(note, where) {
  const row = { words: new Set(), checks: [], clears: [], gives: null };
  const words = (list) => list.trim().split(/\s+/).filter(Boolean);
  const text = (note ?? '').replace(/check\(([^)]*)\)/, (_, list) => {
    row.checks = words(list);
    return '';
  }).replace(/clears\(([^)]*)\)/, (_, list) => {
    row.clears = words(list);
    return '';
  }).replace(/gives\((\w+)\)/, (_, tag) => {
    row.gives = tag;
    return '';
  });
  for (const word of words(text)) {
    if (!['flat', 'preamble', 'js', 'settles', 'fresh', 'posts', 'guard', 'client', 'hand', 'here', 'internal', 'absent'].includes(word)) {
      throw new Error(`${where}: unknown word "${word}" in the note of the row`);
    }
    row.words.add(word);
  }
  const kinds = ['flat', 'hand', 'internal', 'absent'].filter((word) => row.words.has(word));
  if (kinds.length !== 1) throw new Error(`${where}: a row is one of flat, hand, internal and absent`);
  return row;
}

function parseRow(line, service, position, where) {
  const match = ROW.exec(line);
  if (!match) throw new Error(`${where}: not a row: ${line.trim()}`);
  const [, name, request, reply, note] = match;
  const row = { name, request, reply, service, opcode: BASES[service] + position, where, ...parseNote(note, where) };
  if (row.words.has('posts') && service !== 'Waited') throw new Error(`${where}: ${name}: only a row of Waited can say that it may be posted`);
  return row;
}

/** {rows: [...], messages: Map(name -> {name, fields: Map(name -> {type, repeated})})} */
function parseTable(source, file = 'napi.proto') {
  const rows = [];
  const messages = new Map();
  const seen = new Map();
  let service = null, message = null, position = 0;
  source.split('\n').forEach((raw, index) => {
    const where = `${file}:${index + 1}`;
    const code = raw.replace(/\/\/.*$/, '').trim();
    const start = /^(service|message)\s+(\w+)\s*\{\s*(.*?)\s*(\})?$/.exec(code);
    if (start) {
      if (start[1] === 'service') {
        if (!(start[2] in BASES)) throw new Error(`${where}: unknown service ${start[2]}`);
        service = start[2];
        position = 0;
        return;
      }
      if (messages.has(start[2])) throw new Error(`${where}: message ${start[2]} stands here twice`);
      message = { name: start[2], fields: new Map(), where };
      messages.set(message.name, message);
      for (const field of start[3].split(';').filter((text) => text.trim())) addField(message, `${field};`, where);
      if (start[4]) message = null;
    } else if (code === '}') {
      service = message = null;
    } else if (service !== null && code !== '') {
      const row = parseRow(raw, service, position++, where);
      if (seen.has(row.name)) throw new Error(`${where}: row ${row.name} stands at ${seen.get(row.name)} already`);
      seen.set(row.name, where);
      rows.push(row);
    } else if (message !== null && code !== '') {
      addField(message, code, where);
    }
  });
  for (const row of rows) {
    for (const name of [row.request, row.reply]) {
      if (!messages.has(name)) throw new Error(`${row.where}: row ${row.name} uses message ${name}, which is not there`);
    }
  }
  return { rows, messages };
}

function addField(message, text, where) {
  const match = FIELD.exec(text);
  if (!match) throw new Error(`${where}: not a field of ${message.name}: ${text}`);
  if (message.fields.has(match[3])) throw new Error(`${where}: field ${match[3]} stands in ${message.name} twice`);
  message.fields.set(match[3], { type: match[2], repeated: match[1] !== undefined, name: match[3] });
}

module.exports = { parseTable, BASES };
