/**
 * What tunnels lead to. The first byte of a connection says what it is to be: `e` sends back what comes, `d` takes it and
 * tells how much it was, `s` sends until the other side ends.
 *
 * `node bench/load/tunnel-server.ts <port>`
 */
import { createServer, type Socket } from 'node:net';

const chunk = Buffer.alloc(64 * 1024, 's');

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.once('data', (first: Buffer) => {
    const rest = first.subarray(1);
    if (first[0] === 0x65) echo(socket, rest);
    else if (first[0] === 0x64) drain(socket, rest);
    else send(socket);
  });
}

function echo(socket: Socket, rest: Buffer): void {
  if (rest.length > 0) socket.write(rest);
  socket.on('data', (bytes: Buffer) => socket.write(bytes));
  socket.on('end', () => socket.end());
}

function drain(socket: Socket, rest: Buffer): void {
  let count = rest.length;
  socket.on('data', (bytes: Buffer) => (count += bytes.length));
  socket.on('end', () => socket.end(String(count)));
}

function send(socket: Socket): void {
  const more = (): void => {
    while (!socket.readableEnded && socket.write(chunk));
  };
  socket.on('drain', more);
  socket.on('end', () => socket.end());
  socket.resume();
  more();
}

createServer({ allowHalfOpen: true }, serve).listen(Number(process.argv[2]), '0.0.0.0', 4096);
