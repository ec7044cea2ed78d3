/**
 * Holds HTTP/2 connections that made one request each, or streams of one connection that wait for the rest of their
 * answers, until standard input ends.
 *
 * `node bench/load/h2-idle.ts connections|streams <port> <count>` prints `ready` when all are there.
 */
import { once } from 'node:events';
import { connect, type ClientHttp2Session } from 'node:http2';

const [what, port, count] = process.argv.slice(2);
const sessions: ClientHttp2Session[] = [];

function open(): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  sessions.push(session);
  return session;
}

async function ask(session: ClientHttp2Session, path: string): Promise<void> {
  const stream = session.request({ ':path': path });
  stream.on('error', () => {});
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  if (headers[':status'] !== 200) throw new Error(`refused: ${String(headers[':status'])}`);
  if (what === 'streams') return;
  await once(stream.resume(), 'end');
}

if (what === 'streams') {
  const session = open();
  await once(session, 'remoteSettings');
  await Promise.all(Array.from({ length: Number(count) }, () => ask(session, '/slow')));
} else {
  // One at a time, so that the proxy needs one upstream connection only and the memory is that of idle downstreams.
  for (let index = 0; index < Number(count); index++) await ask(open(), '/');
}
console.log('ready');
process.stdin.resume();
await once(process.stdin, 'end');
for (const session of sessions) session.destroy();
