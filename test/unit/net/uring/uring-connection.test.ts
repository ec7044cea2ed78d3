import { connectionContract } from '../../../contract/connection.ts';
import { DescriptorTable } from '../../../../src/net/uring/descriptor-table.ts';
import { UringNetwork } from '../../../../src/net/uring/uring-network.ts';
import { Ground, listenOptions } from '../sockets.ts';

const network = new UringNetwork(new DescriptorTable());
connectionContract('accepted from a socket, through a ring', async () => {
  const ground = await Ground.open(listenOptions, network);
  const { client, connection } = await ground.accept();
  return { connection, peer: client, close: () => ground.close() };
});

connectionContract('dialled to a socket, through a ring', async () => {
  const ground = await Ground.open(listenOptions, network);
  const { server, connection } = await ground.dial();
  return { connection, peer: server, close: () => ground.close() };
});
