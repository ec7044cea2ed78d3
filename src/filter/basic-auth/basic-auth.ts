import { createHash, timingSafeEqual } from 'node:crypto';
import { isFieldValue } from '../../core/field-value.ts';
import type { RequestHead } from '../../core/head.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import { merged } from '../set-metadata/set-metadata.ts';
import type { BasicAuthData, UsersData } from './basic-auth-data.ts';

const metadataNamespace = 'envoy.filters.http.basic_auth';
const scheme = 'Basic ';
const realmPathMax = 256;

const failed = 'User authentication failed.';

/** Whoever is in no list is compared with this, so that names cannot be found out by the time it takes. */
const nobody = createHash('sha1').update('').digest();

/** `envoy.filters.http.basic_auth`: names and passwords (RFC 7617). No state. */
export class BasicAuthFilter implements HttpFilter, FilterFactory {
  private readonly data: BasicAuthData;
  private readonly filterName: string;
  private readonly allowed: Counter;
  private readonly denied: Counter;

  constructor(data: BasicAuthData, { filterName, stats }: FilterContext) {
    const scope = stats.scope('basic_auth');
    this.data = data;
    this.filterName = filterName;
    this.allowed = scope.counter('allowed');
    this.denied = scope.counter('denied');
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    const { authenticationHeader, allowsMissing, forwardUsernameHeader, emitsMetadata } = this.data;
    const users = (stream.perFilterConfig(this.filterName) as UsersData | undefined) ?? this.data.users;
    // Nobody but the filter says who somebody is.
    if (forwardUsernameHeader !== '') head.headers.remove(forwardUsernameHeader);
    const fields = head.headers.getAll(authenticationHeader);
    // Several are one that is no pair.
    const credentials = fields.length === 0 ? undefined : fields.join(',');
    if (credentials === undefined) {
      if (allowsMissing) return Verdict.Continue;
      return this.deny(stream, head, 'Missing username and password.', 'no_credential');
    }
    if (!credentials.startsWith(scheme))
      return this.deny(stream, head, "Expected 'Basic' authentication scheme.", 'invalid_scheme');
    const pair = decoded(credentials.slice(scheme.length));
    const colon = pair.indexOf(':');
    if (colon < 0) return this.deny(stream, head, 'Invalid basic credential format.', 'invalid_format');
    const name = pair.slice(0, colon);
    if (!isUser(users, name, pair.slice(colon + 1)))
      return this.deny(stream, head, 'Invalid username/password combination.', 'invalid_credential');
    if (forwardUsernameHeader !== '' && isFieldValue(name)) head.headers.set(forwardUsernameHeader, name);
    if (emitsMetadata) tell(stream, Buffer.from(name, 'latin1').toString('utf8'));
    return this.passed();
  }

  private passed(): Verdict {
    this.allowed.inc();
    return Verdict.Continue;
  }

  private deny(stream: Stream, head: RequestHead, why: string, details: string): Verdict {
    this.denied.inc();
    const path = head.headers.get('x-envoy-original-path') ?? head.path;
    const realm = `${head.scheme}://${head.authority}${path.slice(0, realmPathMax)}`;
    stream.reply({
      status: 401,
      body: `${failed} ${why}`,
      details: `${details}_for_basic_auth`,
      headers: [['www-authenticate', `Basic realm="${realm}"`]],
    });
    return Verdict.Stop;
  }
}

/** Wire text; without a colon where it is no Base64. Padding may be left out, as in Envoy. */
function decoded(text: string): string {
  const isBase64 = /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.replaceAll('=', '').length % 4 !== 1;
  return isBase64 ? Buffer.from(text, 'base64').toString('latin1') : '';
}

function isUser(users: UsersData, name: string, password: string): boolean {
  const known = users.get(name);
  const given = createHash('sha1').update(password, 'latin1').digest();
  const wanted = known === undefined ? nobody : Buffer.from(known, 'base64');
  return wanted.length === given.length && timingSafeEqual(wanted, given) && known !== undefined;
}

function tell({ outcome }: Stream, username: string): void {
  outcome.dynamicMetadata ??= new Map();
  const there = outcome.dynamicMetadata.get(metadataNamespace);
  outcome.dynamicMetadata.set(metadataNamespace, there === undefined ? { username } : merged(there, { username }));
}
