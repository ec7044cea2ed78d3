import { trustSourceNames } from './source-modules.ts';

/** Entry of a worker thread: what it is made of comes after this, so that it is found quickly. */
trustSourceNames();
await import('./worker-port.ts');
