import { camelCase } from './places.ts';

/** Fields whose `DataSource` is nobody's business: what Envoy's protos mark as sensitive, and keys of tokens. */
const secretFields = bothCases(
  'users private_key password pkcs12 secret secrets keys local_jwks hmac_secret client_secret token_secret',
);
/** What says only where a secret is. */
const openFields = bothCases('name filename environment_variable path @type');

/** How many levels of a secret field are secret: lists and maps of sources have one in between. */
const secretLevels = 2;

function bothCases(names: string): ReadonlySet<string> {
  return new Set(names.split(' ').flatMap((name) => [name, camelCase(name)]));
}

/** Levels of secrets below a field, itself included: `around` is what is left of those that it is in. 0: none. */
export function levelsOf(field: string, around: number): number {
  if (openFields.has(field)) return 0;
  return secretFields.has(field) ? secretLevels + 1 : Math.max(0, around - 1);
}

/** Whether what is at a path (`static_resources.secrets[0].generic_secret.secret.inline_string`) is a secret. */
export function isSecretPath(path: string): boolean {
  let levels = 0;
  for (const field of path.replaceAll(/\[[^\]]*\]/g, '').split('.')) levels = levelsOf(field, levels);
  return levels > 0;
}
