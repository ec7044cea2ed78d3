import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { supportedMessages, type SupportedMessage } from '../src/core/supported-fields.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** One `new SupportedFields(…)`, and the file that it stands in. */
export interface Declaration {
  readonly file: string;
  readonly message: SupportedMessage;
}

const declares = 'new SupportedFields(';

/** Imports a file after what it imports, so that the declarations that appear are its own. */
async function collect(file: string, seen: Set<string>, found: Declaration[]): Promise<void> {
  if (seen.has(file)) return;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  for (const [, specifier] of text.matchAll(/^(?:import|export|\}) .*from '(\.[^']+\.ts)';$/gm))
    await collect(join(file, '..', specifier), seen, found);
  if (!text.includes(declares)) return;
  const before = supportedMessages.length;
  await import(pathToFileURL(file).href);
  for (const message of supportedMessages.slice(before)) found.push({ file: relative(root, file), message });
}

/** Every declaration of a decoder. */
export async function declarations(): Promise<Declaration[]> {
  const files = globSync('src/**/*.ts', { cwd: root, exclude: (name) => name === 'proto' }).toSorted();
  const found: Declaration[] = [];
  const seen = new Set<string>();
  for (const file of files) await collect(join(root, file), seen, found);
  return found;
}
