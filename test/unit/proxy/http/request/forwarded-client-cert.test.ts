import { describe, expect, test } from 'vitest';
import { Headers } from '../../../../../src/core/headers.ts';
import type { TlsFacts } from '../../../../../src/core/tls-facts.ts';
import { ForwardedClientCert } from '../../../../../src/proxy/http/request/forwarded-client-cert.ts';
import { certificateFacts, tlsFacts } from '../../../core/tls-fixture.ts';
import { clientCert, lines } from '../hcm-fixture.ts';

const client = certificateFacts({
  subject: String.raw`CN=cli\C3\A9nt,OU=a\;b,O=Te\"st\, Inc`,
  sha256: 'fe3d',
  uris: ['spiffe://td/client', 'urn:two'],
  dnsNames: ['client.test', 'b.client.test'],
  pem: '-----BEGIN CERTIFICATE-----\nMII+\n-----END CERTIFICATE-----\n',
});
const authority = certificateFacts({ pem: '-----BEGIN CERTIFICATE-----\nMIJ\n-----END CERTIFICATE-----\n' });
const server = certificateFacts({ uris: ['spiffe://td/server', 'urn:second'] });
const facts = tlsFacts({ peerChain: [client, authority], local: server });

type Details = Parameters<typeof clientCert>[1];

function written(mode: 'SANITIZE_SET' | 'APPEND_FORWARD', details: Details, tls: TlsFacts, earlier?: string): string {
  const headers = Headers.of(['a', 'b']);
  if (earlier !== undefined) headers.add('x-forwarded-client-cert', earlier);
  new ForwardedClientCert(clientCert(mode, details)).write(headers, tls);
  expect(headers.getAll('x-forwarded-client-cert')).toHaveLength(1);
  return headers.get('x-forwarded-client-cert')!;
}

const set = (details: Details, tls = facts) => written('SANITIZE_SET', details, tls, 'By=x');
const by = 'By=spiffe://td/server;By=urn:second;Hash=fe3d';
const pem = '-----BEGIN%20CERTIFICATE-----%0AMII%2B%0A-----END%20CERTIFICATE-----%0A';

describe('as Envoy writes it', () => {
  test.each<[string, Details, string]>([
    ['nothing asked for', {}, by],
    ['subject', { subject: true }, String.raw`${by};Subject="CN=cli\C3\A9nt,OU=a\;b,O=Te\"st\, Inc"`],
    ['uri', { uri: true }, `${by};URI=spiffe://td/client;URI=urn:two`],
    ['dns', { dns: true }, `${by};DNS=client.test;DNS=b.client.test`],
    ['cert', { cert: true }, `${by};Cert="${pem}"`],
    ['chain', { chain: true }, `${by};Chain="${pem}${pem.replace('MII%2B', 'MIJ')}"`],
    [
      'order',
      { dns: true, uri: true, subject: true, cert: true },
      String.raw`${by};Cert="${pem}";Subject="CN=cli\C3\A9nt,OU=a\;b,O=Te\"st\, Inc";URI=spiffe://td/client;URI=urn:two;DNS=client.test;DNS=b.client.test`,
    ],
  ])('%s', (_, details, text) => {
    expect(set(details)).toBe(text);
  });

  test('of certificates without names', () => {
    const bare = tlsFacts({ peerChain: [certificateFacts({ sha256: '00' })] });
    expect(set({ subject: true, uri: true, dns: true }, bare)).toBe('Hash=00;Subject="";URI=');
    expect(set({ subject: true, uri: true, dns: true, format: 'JSON' }, bare)).toBe('[{"hash":"00"}]');
  });

  test('as JSON', () => {
    expect(JSON.parse(set({ subject: true, uri: true, dns: true, cert: true, chain: true, format: 'JSON' }))).toEqual([
      {
        by: server.uris,
        hash: 'fe3d',
        cert: client.pem,
        chain: [client.pem, authority.pem],
        subject: client.subject,
        uri: client.uris,
        dns: client.dnsNames,
      },
    ]);
  });
});

describe('APPEND_FORWARD', () => {
  const append = (earlier: string, format: 'TEXT' | 'JSON') => written('APPEND_FORWARD', { format }, facts, earlier);
  const object = '{"by":["spiffe://td/server","urn:second"],"hash":"fe3d"}';

  test.each<[string, 'TEXT' | 'JSON', string]>([
    ['', 'TEXT', by],
    ['', 'JSON', `[${object}]`],
    ['By=x;Hash=y', 'TEXT', `By=x;Hash=y,${by}`],
    ['By=x;Hash=y', 'JSON', `By=x;Hash=y,${by}`],
    ['[{"by":["a"]}]', 'TEXT', `[{"by":["a"]},${object}]`],
    ['[{"by":["a"]}]', 'JSON', `[{"by":["a"]},${object}]`],
    ['[{"by":["a"', 'JSON', `[{"by":["a",${by}`],
    ['[]', 'JSON', `[,${object}]`],
  ])('behind "%s" where the format is %s', (earlier, format, text) => {
    expect(append(earlier, format)).toBe(text);
  });
});

test('says nothing where it only passes on', () => {
  const headers = Headers.of(['x-forwarded-client-cert', 'By=x']);
  new ForwardedClientCert(clientCert('FORWARD_ONLY', { uri: true })).write(headers, facts);
  expect(lines(headers)).toEqual(['x-forwarded-client-cert: By=x']);
});
