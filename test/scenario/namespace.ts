/** A network namespace of its own, in which a scenario runs as a program. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '../peers/binaries.ts';
import { envoy } from '../peers/proxy.ts';

export interface Printed {
  readonly output: string;
  readonly error: string;
}

/** Runs the command as root in a new namespace; `rules`: a shell script that prepares it and ends with `exec "$@"`. */
export function inNamespace(rules: string, ...command: readonly string[]): Printed {
  const { stdout, stderr, error } = spawnSync('unshare', ['-n', 'sh', '-c', rules, 'sh', ...command], {
    encoding: 'utf8',
  });
  return { output: stdout ?? '', error: error === undefined ? stderr : error.message };
}

/** Likewise a program of this folder, with Node. */
export function programInNamespace(rules: string, program: string, ...args: readonly string[]): Printed {
  const node = join(repository, 'node_modules/.bin/node');
  return inNamespace(rules, node, join(repository, 'test/scenario', program), ...args);
}

const noEnvoy = envoy.unavailable();

/** The arguments of such a program: sekisho on both backends and, where there is one, Envoy. Prints why there is none. */
export function proxiesToRun(): string[][] {
  if (noEnvoy !== null) console.log(noEnvoy);
  return [
    ['sekisho', '--io-backend', 'io_uring'],
    ['sekisho', '--io-backend', 'node'],
    ...(noEnvoy === null ? [['envoy']] : []),
  ];
}
