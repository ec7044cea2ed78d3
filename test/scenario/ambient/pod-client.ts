/** In the client's namespace: does what its arguments say, and prints what came of it as one line of JSON. */
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

import { ipv6Of, plainAddress } from './ambient-rules.ts';

const [action, host, portText, countText = '1'] = process.argv.slice(2);
const port = Number(portText);
const count = Number(countText);
/** Behind each word, for who looks for lines. */
const lineEnd = process.env['LINE_END'] ?? '';

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
  const sent = Buffer.alloc(bytes, `sekisho${lineEnd}`);
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
      const text = `x${lineEnd}`;
      const answer = await doubled(text);
      if (!answer.endsWith(text + text)) throw new Error(answer);
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
  socket.write(`hello${lineEnd}`);
  const [echo] = (await once(socket, 'data')) as [Buffer];
  socket.resetAndDestroy();
  await once(socket, 'close');
  return echo.toString();
}

/** `ask host port method path`: status and body of an answer. */
async function asked(): Promise<string> {
  const [, , , method, path] = process.argv.slice(2);
  const request = httpRequest({ host, port, method, path, agent: false }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return `${response.statusCode} ${await text(response)}`;
}

/** Says when it is open, and waits for the end of it. */
async function held(): Promise<string> {
  const socket = await opened();
  socket.write(`hello${lineEnd}`);
  await once(socket, 'data');
  console.log('open');
  return (await rest(socket)) || 'end';
}

async function result(): Promise<unknown> {
  if (action === 'double') return doubled(`hello world${lineEnd}`);
  if (action === 'bulk') return bulk(count);
  if (action === 'short') return short();
  if (action === 'listen') return listened();
  if (action === 'greet') return greeted();
  if (action === 'abandon') return abandoned();
  if (action === 'hold') return held();
  if (action === 'resolve') {
    const resolver = new Resolver({ timeout: 2000, tries: 2 });
    const isV6 = portText === '6';
    resolver.setServers([isV6 ? `[${ipv6Of(plainAddress)}]:53` : `${plainAddress}:53`]);
    return isV6 ? resolver.resolve6(host) : resolver.resolve4(host);
  }
  if (action === 'ask') return asked();
  const socket = await opened();
  const answer = rest(socket);
  socket.write((action === 'reset' ? 'reset' : 'hello world') + lineEnd);
  return answer;
}

const printed = await result().catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
console.log(JSON.stringify(printed));
process.exit(0);
