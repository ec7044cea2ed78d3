import type { CertificateFacts, TlsFacts } from '../../core/tls-facts.ts';
import type { Outcome } from '../outcome.ts';
import type { Command } from './command-syntax.ts';
import { NumberOperator, TextOperator } from './operator.ts';
import { TimeFormat } from './time-format.ts';

type FactsReader = (outcome: Outcome) => TlsFacts | null;
/** An empty text is none. */
type TextOf<Subject> = (subject: Subject) => string | null | undefined;

// What the operators of both sides, and of the downstream side alone, print of a handshake, of the peer's certificate
// and of this end's.

const HANDSHAKE: Readonly<Record<string, TextOf<TlsFacts>>> = {
  TLS_CIPHER: (facts) => facts.cipher,
  TLS_GROUP: (facts) => facts.group,
  TLS_SESSION_ID: (facts) => facts.sessionId,
  TLS_VERSION: (facts) => facts.version,
};

const PEER: Readonly<Record<string, TextOf<CertificateFacts>>> = {
  PEER_CERT: pemForHeaders,
  PEER_DNS_SAN: (certificate) => certificate.dnsNames.join(','),
  PEER_IP_SAN: (certificate) => certificate.ipAddresses.join(','),
  PEER_ISSUER: (certificate) => certificate.issuer,
  PEER_SUBJECT: (certificate) => certificate.subject,
  PEER_URI_SAN: (certificate) => certificate.uris.join(','),
};

const LOCAL: Readonly<Record<string, TextOf<CertificateFacts>>> = {
  LOCAL_DNS_SAN: (certificate) => certificate.dnsNames.join(','),
  LOCAL_IP_SAN: (certificate) => certificate.ipAddresses.join(','),
  LOCAL_URI_SAN: (certificate) => certificate.uris.join(','),
};

const DOWNSTREAM_PEER: Readonly<Record<string, TextOf<CertificateFacts>>> = {
  PEER_EMAIL_SAN: (certificate) => certificate.emails.join(','),
  PEER_FINGERPRINT_1: (certificate) => certificate.sha1,
  PEER_FINGERPRINT_256: (certificate) => certificate.sha256,
  PEER_OTHERNAME_SAN: (certificate) => certificate.otherNames.join(','),
  PEER_SERIAL: (certificate) => certificate.serial,
};

const DOWNSTREAM_LOCAL: Readonly<Record<string, TextOf<CertificateFacts>>> = {
  LOCAL_EMAIL_SAN: (certificate) => certificate.emails.join(','),
  LOCAL_OTHERNAME_SAN: (certificate) => certificate.otherNames.join(','),
  LOCAL_SUBJECT: (certificate) => certificate.subject,
};

const DOWNSTREAM_CHAIN: Readonly<Record<string, TextOf<TlsFacts>>> = {
  PEER_CHAIN_FINGERPRINTS_1: ({ peerChain }) => peerChain.map(({ sha1 }) => sha1).join(','),
  PEER_CHAIN_FINGERPRINTS_256: ({ peerChain }) => peerChain.map(({ sha256 }) => sha256).join(','),
  PEER_CHAIN_SERIALS: ({ peerChain }) => peerChain.map(({ serial }) => serial).join(','),
  PEER_ISSUER_FINGERPRINT_256: ({ peerIssuer }) => peerIssuer?.sha256 ?? null,
  PEER_ISSUER_SERIAL: ({ peerIssuer }) => peerIssuer?.serial ?? null,
};

const downstream: FactsReader = (outcome) => outcome.peer?.tls ?? null;
const upstream: FactsReader = (outcome) => outcome.upstreamPeer?.tls ?? null;

/** Commands that print what TLS says of either end; nothing is read of a certificate until one of them asks. */
export function addTlsCommands(commands: Map<string, Command>): void {
  addSide(commands, 'DOWNSTREAM', downstream);
  addSide(commands, 'UPSTREAM', upstream);
  for (const [name, text] of Object.entries(DOWNSTREAM_PEER)) addPeer(commands, `DOWNSTREAM_${name}`, downstream, text);
  for (const [name, text] of Object.entries(DOWNSTREAM_LOCAL))
    addLocal(commands, `DOWNSTREAM_${name}`, downstream, text);
  for (const [name, text] of Object.entries(DOWNSTREAM_CHAIN))
    addFacts(commands, `DOWNSTREAM_${name}`, downstream, text);
  addText(commands, 'TLS_JA3_FINGERPRINT', (o) => o.peer?.ja3);
  addText(commands, 'TLS_JA4_FINGERPRINT', (o) => o.peer?.ja4);
  addText(commands, 'UPSTREAM_SERVER_NAME', (o) => o.upstreamPeer?.serverName);
  addText(commands, 'DOWNSTREAM_TRANSPORT_FAILURE_REASON', (o) => underscored(o.downstreamTransportFailureReason));
  addText(commands, 'UPSTREAM_TRANSPORT_FAILURE_REASON', (o) => underscored(o.upstreamTransportFailureReason));
  // As Envoy: a listener's own log has it, those of streams and of tcp_proxy have not.
  const handshake = new NumberOperator((o) =>
    o.accessLogType === 'NotSet' ? Math.floor(downstream(o)?.handshakeMs ?? NaN) : NaN,
  );
  commands.set('DOWNSTREAM_HANDSHAKE_DURATION', bare(handshake));
}

function addSide(commands: Map<string, Command>, side: string, read: FactsReader): void {
  for (const [name, text] of Object.entries(HANDSHAKE)) addFacts(commands, `${side}_${name}`, read, text);
  for (const [name, text] of Object.entries(PEER)) addPeer(commands, `${side}_${name}`, read, text);
  for (const [name, text] of Object.entries(LOCAL)) addLocal(commands, `${side}_${name}`, read, text);
  commands.set(
    `${side}_PEER_CERT_V_START`,
    validity(read, (certificate) => certificate.validFromEpochMs),
  );
  commands.set(
    `${side}_PEER_CERT_V_END`,
    validity(read, (certificate) => certificate.validToEpochMs),
  );
}

function addText(commands: Map<string, Command>, name: string, text: TextOf<Outcome>): void {
  commands.set(name, bare(new TextOperator((outcome) => text(outcome) || null)));
}

function addFacts(commands: Map<string, Command>, name: string, read: FactsReader, text: TextOf<TlsFacts>): void {
  addText(commands, name, (outcome) => {
    const facts = read(outcome);
    return facts === null ? null : text(facts);
  });
}

function addPeer(commands: Map<string, Command>, name: string, read: FactsReader, text: TextOf<CertificateFacts>) {
  addFacts(commands, name, read, ({ peerChain }) => (peerChain.length === 0 ? null : text(peerChain[0])));
}

function addLocal(commands: Map<string, Command>, name: string, read: FactsReader, text: TextOf<CertificateFacts>) {
  addFacts(commands, name, read, ({ local }) => (local === null ? null : text(local)));
}

function bare(operator: TextOperator | NumberOperator): Command {
  return { parameter: 'none', takesLength: false, make: () => operator };
}

/** `%…_PEER_CERT_V_START(strftime)%`; without a pattern ISO 8601 with milliseconds. */
function validity(read: FactsReader, epochMs: (certificate: CertificateFacts) => number): Command {
  return {
    parameter: 'optional',
    takesLength: false,
    make(pattern) {
      const time = new TimeFormat(pattern, false);
      return new TextOperator((outcome) => {
        const chain = read(outcome)?.peerChain ?? [];
        return chain.length === 0 ? null : time.format(epochMs(chain[0]));
      });
    },
  };
}

function underscored(reason: string): string {
  return reason.includes(' ') ? reason.replaceAll(' ', '_') : reason;
}

/** Percent-encoded PEM by certificate: of a connection with many streams it is asked for again and again. */
const encodedPems = new WeakMap<CertificateFacts, string>();

/** The PEM of a certificate as headers and logs carry it: percent-encoded. */
export function pemForHeaders(certificate: CertificateFacts): string {
  const known = encodedPems.get(certificate);
  if (known !== undefined) return known;
  const made = encodeURIComponent(certificate.pem);
  encodedPems.set(certificate, made);
  return made;
}
