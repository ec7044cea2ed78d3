/**
 * Opens connections, makes one request on each, and keeps them open until standard input ends.
 *
 * `node bench/load/idle.ts <port> <connections>` prints `ready` when every one has been answered.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const port = Number(process.argv[2]);
const count = Number(process.argv[3]);
const sockets: Socket[] = [];

async function openOne(): Promise<void> {
  const socket = connect(port, '127.0.0.1');
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
