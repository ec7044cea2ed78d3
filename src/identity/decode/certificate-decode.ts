import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  TlsCertificateSchema,
  type TlsCertificate,
} from '../../proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import type { Certificate } from '../certificate.ts';
import { ocspProblem } from '../ocsp-response.ts';
import { openChain, pkcs12Problem, privateKeyProblem } from '../own-certificate.ts';
import type { CertificateSecret } from '../secret-data.ts';
import { because, textOf, watchedDirectoryFields, type ReadSource, type SourceReader } from './data-source-decode.ts';

const supported = new SupportedFields(
  TlsCertificateSchema,
  ['certificate_chain', 'private_key', 'pkcs12', 'watched_directory', 'password', 'ocsp_staple'],
  // Envoy has never done anything with it.
  ['signed_certificate_timestamp'],
);

/** Envoy passes over an entry that says nothing at all. */
export function isEmptyCertificate(message: TlsCertificate): boolean {
  return [message.certificateChain, message.privateKey, message.pkcs12, message.privateKeyProvider].every(
    (source) => source === undefined,
  );
}

/** Reads a certificate and its key, and sees that they belong together. Where not, reasons are added. */
export function decodeCertificate(message: TlsCertificate, reasons: Reasons, reader: SourceReader): CertificateSecret {
  supported.check(message, reasons);
  if (message.watchedDirectory !== undefined) {
    watchedDirectoryFields.check(message.watchedDirectory, reasons.at('watched_directory'));
    reader.watch(message.watchedDirectory.path);
  }
  const read = (field: keyof TlsCertificate & keyof typeof fieldNames): ReadSource =>
    reader.read(message[field], reasons.at(fieldNames[field]));
  const chain = read('certificateChain');
  const key = read('privateKey');
  const pkcs12 = read('pkcs12');
  const password = read('password');
  const staple = read('ocspStaple');
  if (password.problem !== '') reasons.at('password').add(password.problem);
  if (message.ocspStaple?.specifier.case === 'inlineString')
    reasons.at('ocsp_staple').add('OCSP staple cannot be provided via inline_string');
  else if (staple.problem !== '') reasons.at('ocsp_staple').add(staple.problem);
  const secret: CertificateSecret = {
    kind: 'certificate',
    chainPem: textOf(chain),
    keyPem: textOf(key),
    pkcs12: message.pkcs12 === undefined ? null : pkcs12.bytes,
    password: textOf(password),
    ocspStaple: staple.bytes.length === 0 ? null : staple.bytes,
    origin: message.pkcs12 === undefined ? chain.origin : pkcs12.origin,
  };
  if (message.pkcs12 === undefined) checkPair(secret, chain, key, reasons);
  else checkPkcs12(message, secret, pkcs12, reasons);
  return secret;
}

const fieldNames = {
  certificateChain: 'certificate_chain',
  privateKey: 'private_key',
  pkcs12: 'pkcs12',
  password: 'password',
  ocspStaple: 'ocsp_staple',
} as const;

function checkPair(secret: CertificateSecret, chain: ReadSource, key: ReadSource, reasons: Reasons): void {
  const atChain = reasons.at('certificate_chain');
  let leaf: Certificate | null = null;
  if (chain.bytes.length === 0) {
    atChain.add(
      `Failed to load incomplete certificate from ${chain.origin}: certificate chain not set${because(chain)}`,
    );
  } else {
    const opened = openChain(secret.chainPem, chain.origin);
    if (typeof opened === 'string') atChain.add(opened);
    else [leaf] = opened;
  }
  const atKey = reasons.at('private_key');
  if (key.bytes.length === 0) {
    atKey.add(`Failed to load incomplete private key from path: ${key.origin}${because(key)}`);
  } else if (leaf !== null) {
    const problem = privateKeyProblem(secret.keyPem, secret.password, key.origin, leaf);
    if (problem !== '') atKey.add(problem);
  }
  if (leaf === null || secret.ocspStaple === null) return;
  const problem = ocspProblem(secret.ocspStaple, leaf);
  if (problem !== '') reasons.at('ocsp_staple').add(problem);
}

function checkPkcs12(message: TlsCertificate, secret: CertificateSecret, file: ReadSource, reasons: Reasons): void {
  const refuse = (what: string): void =>
    reasons.at('pkcs12').add(`Certificate configuration can't have both pkcs12 and ${what}`);
  if (message.privateKey !== undefined) refuse('private_key');
  if (message.certificateChain !== undefined) refuse('certificate_chain');
  const problem =
    file.problem === ''
      ? pkcs12Problem(file.bytes, secret.password, file.origin)
      : `Failed to load pkcs12 from ${file.origin}${because(file)}`;
  if (problem !== '') reasons.at('pkcs12').add(problem);
}
