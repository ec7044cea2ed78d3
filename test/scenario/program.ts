import { spawn } from 'node:child_process';
import { findProgram, missing } from '../peers/binaries.ts';
import type { AtEnd } from './scope.ts';

/** Runs a program, which is there, until the suite ends. */
export function run(name: string, args: readonly string[], env: NodeJS.ProcessEnv, atEnd: AtEnd): void {
  // Debian's Redis is one program under several names.
  const options = { argv0: name, env: { ...process.env, ...env }, stdio: 'ignore' } as const;
  const child = spawn(findProgram(name)!, args, options);
  atEnd(() => child.kill('SIGKILL'));
}

/** Whether one of them is not here, which it then says. */
export function without(what: string, programs: readonly string[]): boolean {
  const absent = programs.find((program) => findProgram(program) === null);
  if (absent !== undefined) console.log(`${what}: ${missing(absent)}`);
  return absent !== undefined;
}
