/**
 * In the server's namespace: answers on port 15000 what it got, twice, after its end, with who it came from in front; and
 * so on. `node pod-server.ts address [port=what…]`: on these ports instead.
 */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';

const [host, ...wishes] = process.argv.slice(2);
const doubling = createServer({ allowHalfOpen: true }, (socket) => {
  const chunks: Buffer[] = [];
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => {
    const all = Buffer.concat(chunks);
    socket.end(Buffer.concat([Buffer.from(`${socket.remoteAddress} `), all, all]));
  });
});
const echoing = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
});
const resetting = createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => socket.resetAndDestroy());
});
/** What came over the last connection of those that are told of, and how it ended; and who waits to be told. */
const told: string[] = [];
const asking: Socket[] = [];
function recorded(socket: Socket): void {
  let text = '';
  let end = 'nothing';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('end', () => (end = 'end'));
  socket.on('error', (error: NodeJS.ErrnoException) => void (end = error.code ?? error.message));
  socket.on('close', () => {
    told.push(`${text} ${end}`);
    asking.pop()?.end(told.pop()!);
  });
}
/** Says what it has to say first, and listens on. */
const greeting = createServer({ allowHalfOpen: true }, (socket) => {
  recorded(socket);
  socket.end('good day');
});
const recording = createServer((socket) => {
  recorded(socket);
  socket.pipe(socket);
});
const telling = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  if (told.length > 0) socket.end(told.pop()!);
  else asking.push(socket);
});
const web = createHttpServer((request, response) => {
  response.end(`${request.method} ${request.url} from ${request.socket.remoteAddress}`);
});
/** Echoes, and says how each connection ended, with its first words; asked to, it resets. */
const either = createServer({ allowHalfOpen: true }, (socket) => {
  let first = '';
  let end = 'nothing';
  socket.on('data', (chunk: Buffer) => {
    first ||= chunk.subarray(0, 5).toString();
    if (first === 'reset') socket.resetAndDestroy();
    else socket.write(chunk);
  });
  socket.on('end', () => {
    end = 'end';
    socket.end();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => void (end = error.code ?? error.message));
  socket.on('close', () => console.log(`${first}: ${end}`));
});
const servers = { doubling, echoing, resetting, greeting, recording, telling, web, either };
const usual = '15000=doubling 16000=echoing 16001=resetting 16002=greeting 16003=recording 16004=telling 8080=web';
for (const wish of wishes.length > 0 ? wishes : usual.split(' ')) {
  const [port, what] = wish.split('=');
  await new Promise<void>((up) => servers[what as keyof typeof servers].listen(Number(port), host, up));
}
console.log('listening');
