'use strict';
// A report as text for people. What came from the host was printed without control characters (wire/print.c); other texts of it are cleaned here.

function clean(text) {
  return String(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?');
}

function section(title, lines) {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${clean(line)}`)];
}

function addonLine({ file, name, version, buildId }) {
  const parts = [file ?? 'unknown', name === undefined ? undefined : `${name} ${version ?? ''}`.trim(), buildId && `build-id ${buildId}`];
  return parts.filter(Boolean).join(', ');
}

function faultLine({ signal, code, address, sender, thread }) {
  const where = address === undefined ? '' : ` at ${address}`;
  const by = sender === undefined ? '' : ` from process ${sender}`;
  return `${signal} (${code})${where}${by} in thread ${thread.id} "${thread.name}"`;
}

function usageLine({ userCpuSeconds, kernelCpuSeconds, maxRss }) {
  return `took     ${userCpuSeconds.toFixed(2)} s of the processor, ${kernelCpuSeconds.toFixed(2)} s in the kernel, at most ${(maxRss / 1e6).toFixed(1)} MB of memory`;
}

function frameLine({ pc, symbol, offset, source, inlined }, i) {
  const [, name, file] = /^(.*) \[(.*)\]$/s.exec(symbol) ?? [undefined, symbol, ''];
  const place = [source, inlined && `(in ${inlined.join(' in ')})`].filter(Boolean).map((part) => ` ${part}`).join('');
  return `#${String(i).padEnd(3)} ${pc} ${name === '' ? '?' : `${name}+${offset}`} [${file}]${place}`;
}

/** Frames of a recursion are told once. */
function folded(lines, keyOf) {
  const result = [];
  let last, count = 0;
  const flush = () => count > 1 && result.push(`     ... ${count - 1} more of the same`);
  lines.forEach((line, i) => {
    const key = keyOf(i);
    if (key !== undefined && key === last) {
      count++;
      return;
    }
    flush();
    last = key;
    count = 1;
    result.push(line);
  });
  flush();
  return result;
}

function registerLines(registers) {
  const all = Object.entries(registers).map(([name, value]) => `${name.padStart(6)} ${value.padEnd(18)}`);
  const lines = [];
  for (let i = 0; i < all.length; i += 4) lines.push(all.slice(i, i + 4).join('  ').trimEnd());
  return lines;
}

/** What was tried, of a host that could not be started. */
function launchLines({ command, timeout, limits }) {
  const lines = [`command  ${command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ')}`];
  if (timeout.load !== null) lines.push(`timeout  ${timeout.load} ms`);
  if (Object.keys(limits).length > 0) lines.push(`limits   ${Object.entries(limits).map(([name, limit]) => `${name} ${limit}`).join(', ')}`);
  return lines;
}

function textOf(report) {
  const { header, addon, end, launch, fault, pending, javascriptStack, nativeStack, registers, calls, otherThreads, resourceUsage, userLimits, modules } = report;
  const facts = [`addon    ${addonLine(addon)}`];
  if (end.reason !== undefined) facts.push(`end      ${end.reason}`);
  if (end.signal !== undefined) facts.push(`signal   ${end.signal}`);
  if (end.exitCode !== undefined) facts.push(`exit     ${end.exitCode}`);
  if (fault !== undefined) facts.push(`fault    ${faultLine(fault)}`);
  if (end.lastWords !== undefined) facts.push(`said     ${end.lastWords.trim()}`);
  if (pending.call !== undefined) facts.push(`pending  ${pending.call}`);
  if (resourceUsage !== undefined) facts.push(usageLine(resourceUsage));
  facts.push(`time     ${header.dumpEventTime}`);
  facts.push(`node     ${header.nodejsVersion}, pid ${header.parentProcessId}; ${header.osName} ${header.osRelease} ${header.osMachine}`);
  return [
    clean(header.event),
    ...section('What', facts),
    ...section('What was tried', launch === undefined ? [] : launchLines(launch)),
    ...section('JavaScript stack', javascriptStack.stack),
    ...section('Native stack', folded(nativeStack.map(frameLine), (i) => nativeStack[i].function)),
    ...section('Open entries and calls, innermost last', pending.calls),
    ...section('Last Node-API calls, newest last', calls),
    ...otherThreads.flatMap(({ id, calls: theirs }) => section(`Last Node-API calls of ${id === 0 ? 'other threads' : `thread ${id}`}`, theirs)),
    ...section('Registers', registerLines(registers)),
    ...section('Limits', Object.entries(userLimits).map(([name, { soft, hard }]) => `${name} ${soft} (hard ${hard})`)),
    ...section('Modules', modules.map((module) => `${module.base} ${module.path}${module.buildId ? ` ${module.buildId}` : ''}`)),
    '',
  ].join('\n');
}

module.exports = { textOf };
