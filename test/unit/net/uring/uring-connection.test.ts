import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../../../src/core/connection.ts';
import { ClosedLocally } from '../../../../src/core/failures.ts';
import type { UringNetwork } from '../../../../src/net/uring/uring-network.ts';
import { socketConnectionContract } from '../../../contract/socket-connection.ts';
import { Ground, listenOptions, RecordingSink } from '../sockets.ts';
import { noRing, openRingNetwork } from './rings.ts';

if (noRing === '') socketConnectionContract('io_uring', openRingNetwork());

describe.skipIf(noRing !== '')('small messages on their way to the kernel', () => {
  let network: UringNetwork;
  let ground: Ground;
  beforeAll(async () => {
    network = openRingNetwork();
    ground = await Ground.open(listenOptions, network);
  });
  afterAll(() => ground.close());

  it('are whole and in order when the peer takes nothing for a while', async () => {
    const { client, connection } = await ground.accept();
    connection.attach(new RecordingSink());
    client.pause();
    let written = '';
    const write = () => {
      const text = String.fromCharCode(97 + ((written.length / 4000) % 26)).repeat(4000);
      connection.writeLatin1(text);
      network.loop.endTurn();
      written += text;
    };
    // Every second one finds out that the one before it was refused.
    while (connection.bufferedBytes === 0) write();
    for (let i = 0; i < 10; i++) write();
    expect(connection.bufferedBytes).toBeGreaterThan(0);
    connection.end();
    const chunks: Buffer[] = [];
    for await (const chunk of client) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString('latin1')).toBe(written);
    expect(connection.bufferedBytes).toBe(0);
  });

  it('concern nobody any more when the connection is gone before they were refused', async () => {
    const { client, connection } = await ground.accept();
    const sink = new RecordingSink();
    connection.attach(sink);
    client.pause();
    const text = 'x'.repeat(4000);
    while (connection.bufferedBytes === 0) {
      connection.writeLatin1(text);
      network.loop.endTurn();
    }
    const other = await ground.accept();
    const otherSink = new RecordingSink();
    other.connection.attach(otherSink);
    connection.destroy(ClosedLocally);
    expect((await sink.closed).kind).toBe(ClosedLocally.kind);
    other.client.write('alive');
    await otherSink.received(5);
    expect(otherSink.text).toBe('alive');
  });

  it('go out by themselves when there are more than a turn has memory for', async () => {
    const { client, connection } = await ground.accept();
    connection.attach(new RecordingSink());
    const others: { client: Socket; connection: Connection }[] = [];
    // One after the other, or the backlog would not do.
    for (let i = 0; i < 300; i++) others.push(await ground.accept());
    for (const other of others) {
      other.connection.attach(new RecordingSink());
      other.connection.writeLatin1('x'.repeat(4000));
    }
    connection.writeLatin1('last');
    const answers = others.map((other) => new Promise((resolve) => other.client.once('data', resolve)));
    const chunk: unknown = await new Promise((resolve) => client.once('data', resolve));
    expect(String(chunk)).toBe('last');
    expect((await Promise.all(answers)).length).toBe(300);
    for (const { connection: one } of others) one.destroy(ClosedLocally);
  });
});
