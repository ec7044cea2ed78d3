import type { Claims } from './jwt.ts';

const maxInteger = 2 ** 64;

/** The claim of that name, or below others: `realm.roles`. Undefined: there is none. */
export function claimAt(claims: Claims, path: string): unknown {
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Claims)[name];
  }
  return value;
}

/** A claim as a header's value, as UTF-8 text; empty: it has none. Lists and objects go as Base64 of their JSON. */
export function claimText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
      return String(value);
    case 'number':
      return numberText(value);
    case 'object':
      return value === null ? '' : Buffer.from(protoJson(value)).toString('base64');
    default:
      return '';
  }
}

/** Envoy's: whole numbers as such, others with six places. */
function numberText(value: number): string {
  const isWhole = Number.isInteger(value) && value >= 0 && value < maxInteger;
  return isWhole ? BigInt(value).toString() : value.toFixed(6);
}

/** JSON as protobuf writes it, fit for a page of HTML. */
function protoJson(value: object): string {
  return JSON.stringify(value).replace(/[<>]/g, (sign) => (sign === '<' ? '\\u003c' : '\\u003e'));
}
