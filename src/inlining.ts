import { setFlagsFromString } from 'node:v8';

/** Of V8's bytecode, how much may be inlined into one function; its own limit is 920. */
const more = 4000;
export const usualInlining = 920;

/**
 * Lets V8 inline more into the functions that run for every request: chains of small ones are what the data path is
 * made of. Once modules have loaded: V8 checks the flags that kept code was compiled with.
 */
export function inlineMore(): void {
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${more}`);
}

/** For as long as `write` takes: what it writes is kept for threads that start with V8's own flags. */
export function withUsualInlining(write: () => void): void {
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${usualInlining}`);
  write();
  inlineMore();
}
