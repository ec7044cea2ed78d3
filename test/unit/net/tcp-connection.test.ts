import { Loop } from '../../../src/net/loop.ts';
import { NodeNetwork } from '../../../src/net/node-network.ts';
import { socketConnectionContract } from '../../contract/socket-connection.ts';

socketConnectionContract('node:net', new NodeNetwork(new Loop()));
