/** Operators that have a value on TLS or traced connections only. They are known, and empty. */
export const EMPTY_COMMANDS: readonly string[] = [
  'TRACE_ID',
  'SPAN_ID',
  'TLS_JA3_FINGERPRINT',
  'TLS_JA4_FINGERPRINT',
  'DOWNSTREAM_HANDSHAKE_DURATION',
  'DOWNSTREAM_TRANSPORT_FAILURE_REASON',
  'UPSTREAM_SERVER_NAME',
  ...fieldsOf('DOWNSTREAM', [
    'LOCAL_DNS_SAN',
    'LOCAL_EMAIL_SAN',
    'LOCAL_IP_SAN',
    'LOCAL_OTHERNAME_SAN',
    'LOCAL_SUBJECT',
    'LOCAL_URI_SAN',
    'PEER_CERT',
    'PEER_CHAIN_FINGERPRINTS_1',
    'PEER_CHAIN_FINGERPRINTS_256',
    'PEER_CHAIN_SERIALS',
    'PEER_DNS_SAN',
    'PEER_EMAIL_SAN',
    'PEER_FINGERPRINT_1',
    'PEER_FINGERPRINT_256',
    'PEER_IP_SAN',
    'PEER_ISSUER',
    'PEER_ISSUER_FINGERPRINT_256',
    'PEER_ISSUER_SERIAL',
    'PEER_OTHERNAME_SAN',
    'PEER_SERIAL',
    'PEER_SUBJECT',
    'PEER_URI_SAN',
    'TLS_CIPHER',
    'TLS_GROUP',
    'TLS_SESSION_ID',
    'TLS_VERSION',
  ]),
  ...fieldsOf('UPSTREAM', [
    'LOCAL_DNS_SAN',
    'LOCAL_IP_SAN',
    'LOCAL_URI_SAN',
    'PEER_CERT',
    'PEER_DNS_SAN',
    'PEER_IP_SAN',
    'PEER_ISSUER',
    'PEER_SUBJECT',
    'PEER_URI_SAN',
    'TLS_CIPHER',
    'TLS_GROUP',
    'TLS_SESSION_ID',
    'TLS_VERSION',
  ]),
];

/** As above, with a strftime pattern as parameter. */
export const EMPTY_TIME_COMMANDS: readonly string[] = [
  ...fieldsOf('DOWNSTREAM', ['PEER_CERT_V_START', 'PEER_CERT_V_END']),
  ...fieldsOf('UPSTREAM', ['PEER_CERT_V_START', 'PEER_CERT_V_END']),
];

function fieldsOf(side: string, names: readonly string[]): string[] {
  return names.map((name) => `${side}_${name}`);
}
