import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener, tcpListener } from './config.ts';
import { Origin, TcpOrigin } from './origin.ts';

const bytes = randomBytes(16 * 1024 * 1024);
const digest = createHash('sha1').update(bytes).digest('hex');

async function digestOf(source: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha1');
  for await (const chunk of source) {
    hash.update(chunk);
    // A reader that lets the sender wait now and then, so that buffers fill and drain.
    await new Promise(setImmediate);
  }
  return hash.digest('hex');
}

describe('many large bodies at once arrive as they were sent', () => {
  const transfers = Array.from({ length: 4 }, (_, index) => index);

  test('over HTTP, both ways', async () => {
    const origin = await Origin.start((incoming, response) => {
      if (incoming.method === 'POST') void digestOf(incoming).then((found) => response.end(found));
      else response.end(bytes);
    });
    const app = await App.start(bootstrap([httpListener()], [cluster('origin', [origin.port])]));
    const url = await app.url();
    const down = transfers.map(async () => digestOf((await request(url)).body as AsyncIterable<Buffer>));
    const up = transfers.map(async () => (await request(url, { method: 'POST', body: bytes })).body.text());
    expect(await Promise.all([...down, ...up])).toEqual([...transfers, ...transfers].map(() => digest));
  });

  test('over TCP, echoed', async () => {
    const origin = await TcpOrigin.start((socket) => socket.pipe(socket));
    const app = await App.start(bootstrap([tcpListener('origin')], [cluster('origin', [origin.port])]));
    const port = await app.port();
    const echoes = transfers.map(async () => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      await once(socket, 'connect');
      socket.end(bytes);
      return digestOf(socket as AsyncIterable<Buffer>);
    });
    expect(await Promise.all(echoes)).toEqual(transfers.map(() => digest));
  });
});
