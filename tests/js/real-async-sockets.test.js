'use strict';
// Published sockets, compared in-process and isolated: they live on the loop of the host's thread (uv_poll).
const { compareAddon } = require('./support/real.js');

compareAddon('zeromq', { values: 60, errors: 10 }, async ({ addon, record, settle, random, bytes, odd }) => {
  const { Pair, Request, Reply, Push, Pull, Dealer, Router } = addon;
  record(() => [addon.version, addon.capability]);
  // Sockets of one context, by name; bound before they are connected.
  const pairOf = async (First, Second, name) => {
    const [first, second] = [new First(), new Second()];
    await first.bind(`inproc://${name}`);
    second.connect(`inproc://${name}`);
    return [first, second];
  };
  const [reply, request] = await pairOf(Reply, Request, 'questions');
  for (let i = 0; i < 20; i++) {
    await settle(() => request.send([`question ${i}`, bytes(random(500)), '']));
    const question = await settle(() => reply.receive());
    await settle(() => reply.send(question.reverse()));
    await settle(() => request.receive());
  }
  const [pull, push] = await pairOf(Pull, Push, 'work');
  const sent = (async () => {
    for (let i = 0; i < 2000; i++) await push.send([String(i), bytes(random(100))]);
  })();
  await settle(async () => {
    const all = [];
    while (all.length < 2000) all.push((await pull.receive()).map(String).join('|'));
    return all.join('\n');
  });
  await settle(() => sent);
  const [dealer, router] = await pairOf(Dealer, Router, 'routes');
  await settle(() => router.send(['nobody', 'text']));
  dealer.sendTimeout = 0;
  dealer.receiveTimeout = 20;
  await settle(() => dealer.receive());
  record(() => [dealer.receiveTimeout, dealer.sendTimeout, dealer.type, dealer.closed, dealer.lastEndpoint]);
  for (const value of odd) {
    record(() => push.connect(value));
  }
  await settle(() => new Pair().bind('nothing://x'));
  await settle(() => pull.bind('inproc://work'));
  // One that waits when its socket is closed.
  const waiting = settle(() => pull.receive());
  pull.close();
  await waiting;
  await settle(() => pull.receive());
  for (const socket of [reply, request, push, dealer, router]) socket.close();
  record(() => reply.closed);
});
