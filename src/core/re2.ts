import { createRequire } from 'node:module';

type Re2 = typeof import('re2js');

let loaded: Re2 | null = null;

/**
 * RE2's engine, loaded when the first expression asks for it: 4 MiB and 6 ms in each thread, and most configurations
 * have no expression that V8's engine does not run in linear time. What needs only types imports them from `re2js`.
 */
export function re2(): Re2 {
  loaded ??= createRequire(import.meta.url)('re2js') as Re2;
  return loaded;
}
