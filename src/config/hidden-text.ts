import type { ConfigDocument } from './document.ts';
import { camelCase, placesOf, type Place } from './places.ts';

/** Fields whose `DataSource` is nobody's business: what Envoy's protos mark as sensitive, and keys of tokens. */
const secretFields = bothCases(
  'users private_key password pkcs12 secret secrets keys local_jwks hmac_secret client_secret token_secret',
);
const inlineFields = bothCases('inline_string inline_bytes');

function bothCases(names: string): ReadonlySet<string> {
  return new Set(names.split(' ').flatMap((name) => [name, camelCase(name)]));
}

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
 * `near`: levels within which an inline text is a secret; lists and maps of sources have one in between. `seen`: what was
 * looked through with how much of it: aliases make few places look like many.
 */
function collect({ entries, items }: Place, near: number, found: Place[], seen: Map<object, number>): void {
  const inside = entries ?? items;
  if (inside === null || (seen.get(inside) ?? -1) >= near) return;
  seen.set(inside, near);
  for (const item of items ?? []) collect(item, near, found, seen);
  for (const [name, inner] of entries ?? []) {
    if (near > 0 && inlineFields.has(name)) found.push(inner);
    collect(inner, secretFields.has(name) ? 2 : Math.max(0, near - 1), found, seen);
  }
}
