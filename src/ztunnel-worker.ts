import { trustSourceNames } from './source-modules.ts';

/** Entry of a thread that carries the traffic of `sekisho ztunnel`; what it is made of comes after this. */
trustSourceNames();
await import('./ztunnel-worker-port.ts');
