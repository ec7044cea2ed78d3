import type { ConnectionSink } from '../../../src/core/connection.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { WrappedConnection } from '../../../src/core/wrapped-connection.ts';
import { Loop } from '../../../src/net/loop.ts';
import { NodeNetwork } from '../../../src/net/node-network.ts';
import { connectionContract } from '../../contract/connection.ts';
import { Ground, listenOptions } from '../net/sockets.ts';

/** As thin as can be: whoever looks at nothing changes nothing. */
class ThinlyWrapped extends WrappedConnection implements ConnectionSink {
  private sink: ConnectionSink | null = null;

  attach(sink: ConnectionSink): void {
    this.sink = sink;
    this.inner.attach(this);
  }

  onBytes(chunk: Uint8Array): void {
    this.sink!.onBytes(chunk);
  }

  onDrain(): void {
    this.sink!.onDrain();
  }

  onEnd(): void {
    this.sink!.onEnd();
  }

  onClosed(failure: Failure): void {
    this.sink!.onClosed(failure);
    this.owner?.onConnectionClosed(this);
  }
}

connectionContract('wrapped', async () => {
  const ground = await Ground.open(listenOptions, new NodeNetwork(new Loop()));
  const { server, connection } = await ground.dial();
  return { connection: new ThinlyWrapped(connection), peer: server, close: () => ground.close() };
});
