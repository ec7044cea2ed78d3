import { enableCompileCache, flushCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import process from 'node:process';
import { withUsualInlining } from './inlining.ts';

export const folderVariable = 'NODE_COMPILE_CACHE';
/** Written this long after the start, so that it takes nothing from the first requests. */
const settleMs = 2000;

/**
 * Has V8's compiled code (and of sources, the JavaScript without types) kept in the user's cache folder, which halves
 * the time of a start from sources. Where nothing can be written the code is compiled at each start; Node's
 * `NODE_COMPILE_CACHE` names another folder, `NODE_DISABLE_COMPILE_CACHE=1` wants none.
 */
export function keepCompiledCode(): void {
  const folder = compiledCodeFolder();
  if (folder === null) return;
  enableCompileCache(folder);
  // By the variable a worker has the cache before its first module, and does not load what strips types.
  process.env[folderVariable] = folder;
}

/** Null: there is none. A process that is started with it in `NODE_COMPILE_CACHE` never loads what strips types. */
export function compiledCodeFolder(): string | null {
  return process.env[folderVariable] ?? cacheFolder();
}

/** For one of the threads that run the same code. */
export function writeCompiledCode(): void {
  setTimeout(() => withUsualInlining(flushCompileCache), settleMs).unref();
}

/** Not the shared folder for temporary files, Node's default: what lies there may be another user's. */
function cacheFolder(): string | null {
  const named = process.env['XDG_CACHE_HOME'];
  if (named !== undefined && isAbsolute(named)) return join(named, 'sekisho');
  try {
    return join(homedir(), '.cache', 'sekisho');
  } catch {
    // A user who is not in the password file and has no HOME.
    return null;
  }
}
