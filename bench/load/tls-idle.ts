/**
 * Opens TLS connections, makes one request on each, and keeps them open until standard input ends.
 *
 * `node bench/load/tls-idle.ts <port> <connections>` prints `ready` when every one has been answered.
 */
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';

const [port, count] = process.argv.slice(2).map(Number);
const sockets: TLSSocket[] = [];

async function openOne(): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'bench.example.com', rejectUnauthorized: false });
  sockets.push(socket);
  socket.write('GET / HTTP/1.1\r\nhost: bench.example.com\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (!answer.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error(`refused: ${answer.toString('latin1')}`);
}

// One at a time, so that the proxy needs one upstream connection only and the memory is that of idle downstreams.
for (let index = 0; index < count; index++) await openOne();
console.log('ready');
process.stdin.resume();
await once(process.stdin, 'end');
for (const socket of sockets) socket.destroy();
