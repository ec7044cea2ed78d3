import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The root of this repository. */
export const repository = join(import.meta.dirname, '../..');

/** Where a program is: `<NAME>_BIN`, then `.peers/bin` (tools/install-peers.sh), then PATH; null where it is nowhere. */
export function findProgram(name: string): string | null {
  const override = process.env[variableOf(name)];
  if (override) return override;
  const path = process.env.PATH ?? '';
  // Debian keeps servers in /usr/sbin, which an ordinary user's PATH lacks.
  const directories = [join(repository, '.peers/bin'), ...path.split(delimiter), '/usr/sbin'];
  for (const directory of directories) {
    const candidate = join(directory, name);
    if (isExecutable(candidate)) return realpathSync(candidate);
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function variableOf(name: string): string {
  return `${name.toUpperCase().replaceAll('-', '_')}_BIN`;
}

/** Why a comparison cannot run here, as one line for the log. */
export function missing(name: string): string {
  return `skipped: no ${name} here (set ${variableOf(name)} or run tools/install-peers.sh)`;
}
