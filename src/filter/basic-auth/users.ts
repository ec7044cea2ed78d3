import type { UsersData } from './basic-auth-data.ts';

const shaPrefix = '{SHA}';
/** Of 20 bytes in Base64. */
const shaLength = 28;

/** Reads a file of Apache's htpasswd, of which only `{SHA}` is known; or says in Envoy's words what is wrong with it. */
export function parseUsers(text: string): UsersData | string {
  const users = new Map<string, string>();
  for (const line of text.split('\n').map((raw) => raw.replace(/\r$/, ''))) {
    if (line === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    if (colon < 0) return 'basic auth: invalid htpasswd format, username:password is expected';
    const name = line.slice(0, colon);
    const hash = line.slice(colon + 1);
    if (name === '' || hash === '') return 'basic auth: empty user name or password';
    if (users.has(name)) return 'basic auth: duplicate users';
    if (!hash.startsWith(shaPrefix)) return 'basic auth: unsupported htpasswd format: please use {SHA}';
    const digest = hash.slice(shaPrefix.length);
    if (digest.length !== shaLength) return 'basic auth: invalid htpasswd format, invalid SHA hash length';
    users.set(name, digest);
  }
  return users;
}
