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

compareAddon('udx-native', { values: 50, errors: 1 }, async ({ addon: Udx, record, settle, bytes, odd }) => {
  const udx = new Udx();
  const [first, second] = [udx.createSocket(), udx.createSocket()];
  for (const socket of [first, second]) socket.bind(0, '127.0.0.1');
  record(() => [first.address().host, first.bound, first.idle, first.ttl]);
  const received = new Promise((resolve) => second.once('message', (message, { host }) => resolve([String(message), host])));
  await settle(() => first.send(Buffer.from('hello ü'), second.address().port, '127.0.0.1'));
  await settle(() => received);
  const [from, to] = [udx.createStream(1), udx.createStream(2)];
  from.connect(first, 2, second.address().port, '127.0.0.1');
  to.connect(second, 1, first.address().port, '127.0.0.1');
  const sent = bytes(300_000);
  const whole = new Promise((resolve) => {
    const parts = [];
    to.on('data', (part) => parts.push(part)).on('end', () => resolve(Buffer.concat(parts)));
  });
  for (let at = 0; at < sent.length; at += 7000) from.write(sent.subarray(at, at + 7000));
  from.end();
  await settle(() => whole);
  const closed = Promise.all([from, to].map((stream) => new Promise((resolve) => stream.on('close', resolve))));
  from.resume();
  to.end();
  await settle(async () => (await closed).length);
  await settle(() => udx.lookup('localhost', { family: 4 }));
  for (const value of odd) {
    record(() => [Udx.isIPv4(value), Udx.isIP(value)]);
    record(() => typeof udx.createStream(value));
    record(() => first.trySend(value, 1, '127.0.0.1'));
  }
  await settle(() => first.close());
  await settle(() => second.close());
});

compareAddon('node-datachannel', { values: 10, errors: 30 }, async ({ addon, record, settle, odd }) => {
  const { PeerConnection } = addon;
  const [first, second] = ['first', 'second'].map((name) => new PeerConnection(name, { iceServers: [], bindAddress: '127.0.0.1' }));
  for (const [from, to] of [[first, second], [second, first]]) {
    from.onLocalDescription((description, type) => to.setRemoteDescription(description, type));
    from.onLocalCandidate((candidate, mid) => to.addRemoteCandidate(candidate, mid));
  }
  const asked = new Promise((resolve) => {
    second.onDataChannel((channel) => channel.onMessage((message) => {
      if (typeof message === 'string') channel.sendMessage(`echo of ${message}`);
      else channel.sendMessageBinary(Buffer.from(message));
      resolve([channel.getLabel(), message]);
    }));
  });
  const channel = first.createDataChannel('channel ü');
  const answer = () => new Promise((resolve) => channel.onMessage(resolve));
  const answered = answer();
  channel.onOpen(() => channel.sendMessage('hello ü'));
  await settle(() => asked);
  await settle(() => answered);
  record(() => [channel.getLabel(), channel.isOpen(), channel.bufferedAmount(), first.state(), first.signalingState()]);
  for (const length of [1, 1000, 60_000]) {
    const next = answer();
    record(() => channel.sendMessageBinary(Buffer.alloc(length, length)));
    await settle(() => next);
  }
  for (const value of odd) {
    record(() => first.setRemoteDescription(value, value));
    record(() => typeof new PeerConnection(value, {}));
    record(() => channel.sendMessage(value) && 'sent');
  }
  for (const connection of [first, second]) connection.close();
  addon.cleanup();
});
