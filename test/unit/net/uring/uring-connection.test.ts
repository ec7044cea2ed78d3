import { it } from 'vitest';
import { socketConnectionContract } from '../../../contract/socket-connection.ts';
import { noRing, openRingNetwork } from './rings.ts';

if (noRing === '') socketConnectionContract('io_uring', openRingNetwork());
else it.skip(noRing);
