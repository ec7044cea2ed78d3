import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * TCP origins, by what they do:
 * `echo` sends back what it gets and ends when the other side ends;
 * `greet` speaks first; `count` says how many bytes it got, after the other side's half-close;
 * `mute` says nothing and does not end; `slam` resets on the first bytes; `bye` answers the first bytes and closes.
 */
export const tcpBehaviours: Readonly<Record<string, (socket: Socket) => void>> = {
  echo: (socket) => socket.pipe(socket),
  greet: (socket) => {
    socket.write('220 welcome\r\n');
    socket.pipe(socket);
  },
  count: (socket) => {
    let bytes = 0;
    socket.on('data', (chunk) => (bytes += chunk.length));
    socket.on('end', () => socket.end(`${bytes} bytes\n`));
  },
  mute: (socket) => socket.resume(),
  slam: (socket) => socket.once('data', () => socket.resetAndDestroy()),
  bye: (socket) => socket.once('data', () => socket.end('bye\n')),
};

export class TcpUpstream {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(behaviour: (socket: Socket) => void) {
    this.server = createServer({ allowHalfOpen: true }, (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => {});
      behaviour(socket);
    });
  }

  async listen(port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.server.once('error', reject);
    this.server.listen(port, '127.0.0.1', resolve);
    await promise;
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
