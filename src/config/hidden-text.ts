import type { ConfigDocument } from './document.ts';
import { placesOf, type Place } from './places.ts';
import { levelsOf } from './secret-fields.ts';

/** The same text without the secrets in it, character by character, so that columns stay what they are. */
export function hideSecrets(text: string, offset: number, document: ConfigDocument): string {
  const root = placesOf(document);
  if (root === null) return text.replace(/(?<=inline_?(string|bytes)["']?\s*:).*/i, stars);
  let hidden = text;
  for (const { start, end } of secretsOf(root, document)) {
    const from = Math.max(0, start - offset);
    const to = Math.min(text.length, end - offset);
    if (from < to) hidden = hidden.slice(0, from) + stars(hidden.slice(from, to)) + hidden.slice(to);
  }
  return hidden;
}

function stars(text: string): string {
  return text.replaceAll(/\S/g, '*');
}

const known = new WeakMap<ConfigDocument, readonly Place[]>();

function secretsOf(root: Place, document: ConfigDocument): readonly Place[] {
  let secrets = known.get(document);
  if (secrets === undefined) {
    const found: Place[] = [];
    collect(root, 0, found, new Map());
    secrets = found.filter((place) => place.document === document);
    known.set(document, secrets);
  }
  return secrets;
}

/**
 * `levels`: below which there are no secrets. `seen`: what was looked through with how many: aliases make few places look
 * like many.
 */
function collect(place: Place, levels: number, found: Place[], seen: Map<object, number>): void {
  const { entries, items } = place;
  const inside = entries ?? items;
  if (inside === null && levels > 0) found.push(place);
  if (inside === null || (seen.get(inside) ?? -1) >= levels) return;
  seen.set(inside, levels);
  for (const item of items ?? []) collect(item, levels, found, seen);
  for (const [name, inner] of entries ?? []) collect(inner, levelsOf(name, levels), found, seen);
}
