import { it } from 'vitest';
import { networkContract } from '../../../contract/network.ts';
import { noRing, openRingNetwork } from './rings.ts';

if (noRing === '') networkContract('io_uring', openRingNetwork());
else it.skip(noRing);
