import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { Http2Server } from 'node:http2';
import { createServer, type AddressInfo, type ServerOpts, type Socket } from 'node:net';
import type { AtEnd } from '../scope.ts';

/** @returns the port of a server that hands a connection to `http2` where it begins with its preface, and to `http` otherwise */
export async function listenForBoth(
  http: HttpServer,
  http2: Http2Server,
  atEnd: AtEnd,
  options: ServerOpts = {},
): Promise<number> {
  http2.on('sessionError', () => {});
  const sockets = new Set<Socket>();
  const server = createServer(options, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null;
      if (first === null) return;
      socket.unshift(first);
      (first.toString('latin1', 0, 3) === 'PRI' ? http2 : http).emit('connection', socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}
