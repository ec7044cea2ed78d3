import { Loop } from '../../../src/net/loop.ts';
import { NodeNetwork } from '../../../src/net/node-network.ts';
import { networkContract } from '../../contract/network.ts';

networkContract('node:net', new NodeNetwork(new Loop()));
