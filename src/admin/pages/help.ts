import type { Endpoint } from '../endpoint.ts';
import { text, type Page } from '../page.ts';

/** `/help`. */
export function helpPage(endpoints: readonly Endpoint[]): Page {
  return () => text(commands(endpoints));
}

/** The answer to a path that is none. */
export function unknownPathPage(endpoints: readonly Endpoint[]): Page {
  return () => text(`invalid path. ${commands(endpoints)}`, 404);
}

function commands(endpoints: readonly Endpoint[]): string {
  let lines = 'admin commands are:\n';
  for (const { path, isMutating, help, parameters } of endpoints) {
    lines += `  ${path}${isMutating ? ' (POST)' : ''}: ${help}\n`;
    for (const { name, choices, help: what } of parameters) {
      lines += `      ${name}: ${what}${choices.length > 0 ? `; One of (${choices.join(', ')})` : ''}\n`;
    }
  }
  return lines;
}
