import type { Group, Row } from '../../row.ts';
import { serverTls, trusting } from '../../tls/config.ts';
import { asking, denied, grpc, ok } from './ext-authz-config.ts';

const node = `node: { id: me, cluster: mine, metadata: { labels: { app: here, version: '1', n: 5, list: [a], uml: \u00e4, none: '' }, text: text } }`;

const labelled = (name: string, key: string): Group =>
  asking(`labels: ${name}`, `${grpc}, bootstrap_metadata_labels_key: ${key}`, [{ name: 'ok', upstream: [ok(), {}] }], {
    bootstrap: node,
  });

const everything = `${grpc}, include_peer_certificate: true, include_tls_session: true`;

const asked: readonly Row[] = [
  { name: 'ok', upstream: [ok(), {}] },
  { name: 'ok, TLS 1.2', tls: { certificate: 'client_chain', maxVersion: 'TLSv1.2' }, upstream: [ok(), {}] },
  { name: 'ok, by HTTP/2', over: 'h2', upstream: [ok(), {}] },
  { name: 'denied', upstream: [denied({ body: 'no' })] },
  { name: 'without names', tls: { certificate: 'client_nameless' }, upstream: [ok(), {}] },
  { name: 'another certificate', tls: { certificate: 'client' }, upstream: [ok(), {}] },
  { name: 'a resumed session', tls: { certificate: 'client', resumes: true }, upstream: [ok(), {}, ok(), {}] },
  { name: 'without a certificate', tls: {}, upstream: [ok(), {}] },
];

const resumed: Row = {
  name: 'a resumed session, TLS 1.2',
  tls: { certificate: 'client', resumes: true, maxVersion: 'TLSv1.2' },
  upstream: [ok(), {}, ok(), {}],
};

const overTls = (name: string, settings: string, server: string, more: Partial<Row> = {}): Group => ({
  ...asking(`TLS: ${name}`, settings, [...asked, { ...resumed, ...more }], {
    transport: serverTls([server], trusting()),
  }),
  tls: { certificate: 'client_chain' },
});

/** What an authorization server hears of both ends of a connection. */
export const extAuthzPeersGroups: readonly Group[] = [
  labelled('some', 'labels'),
  labelled('no struct', 'text'),
  labelled('nothing of that name', 'other'),
  overTls('everything', everything, 'server_two', {
    differs: {
      'upstream[2].check.attributes.tlsSession.sni':
        'a resumed session of TLS 1.2 does not know which name its client asks for',
    },
  }),
  overTls('principals alone', grpc, 'server'),
];
