/** In the client's namespace: does what its arguments say, and prints what came of it as one line of JSON. */
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { plainAddress } from './ambient-rules.ts';

const [action, host, portText, countText = '1'] = process.argv.slice(2);
const port = Number(portText);
const count = Number(countText);

function opened(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** All bytes up to the end, or the error. */
async function rest(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  let error = '';
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => socket.end());
  socket.on('error', (failure: NodeJS.ErrnoException) => (error = failure.code ?? failure.message));
  await once(socket, 'close').catch((failure: NodeJS.ErrnoException) => (error = failure.code ?? failure.message));
  return error === '' ? Buffer.concat(chunks).toString() : error;
}

async function doubled(text: string): Promise<string> {
  const socket = await opened();
  const answer = rest(socket);
  socket.end(text);
  return answer;
}

async function bulk(bytes: number): Promise<number> {
  const socket = await opened();
  socket.on('error', () => {});
  const sent = Buffer.alloc(bytes, 'sekisho');
  socket.end(sent);
  let received = 0;
  for await (const chunk of socket) received += (chunk as Buffer).length;
  return received;
}

async function short(): Promise<number> {
  let done = 0;
  const worker = async (): Promise<void> => {
    while (done < count) {
      done++;
      const answer = await doubled('x');
      if (!answer.endsWith('xx')) throw new Error(answer);
    }
  };
  await Promise.all(Array.from({ length: 20 }, worker));
  return done;
}

/** Hears the server out before it says anything. */
async function listened(): Promise<string> {
  const socket = await opened();
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function greeted(): Promise<string> {
  const socket = await opened();
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(socket, 'end');
  socket.end('and to you');
  return text;
}

/** Goes in the middle of it, without a word. */
async function abandoned(): Promise<string> {
  const socket = await opened();
  socket.write('hello');
  const [echo] = (await once(socket, 'data')) as [Buffer];
  socket.resetAndDestroy();
  await once(socket, 'close');
  return echo.toString();
}

/** Says when it is open, and waits for the end of it. */
async function held(): Promise<string> {
  const socket = await opened();
  socket.write('hello');
  await once(socket, 'data');
  console.log('open');
  return (await rest(socket)) || 'end';
}

async function result(): Promise<unknown> {
  if (action === 'double') return doubled('hello world');
  if (action === 'bulk') return bulk(count);
  if (action === 'short') return short();
  if (action === 'listen') return listened();
  if (action === 'greet') return greeted();
  if (action === 'abandon') return abandoned();
  if (action === 'hold') return held();
  if (action === 'resolve') {
    const resolver = new Resolver({ timeout: 2000, tries: 2 });
    resolver.setServers([`${plainAddress}:53`]);
    return resolver.resolve4(host);
  }
  const socket = await opened();
  const answer = rest(socket);
  socket.write('hello world');
  return answer;
}

const printed = await result().catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
console.log(JSON.stringify(printed));
process.exit(0);
