import { latin1 } from '../../core/bytes.ts';
import { noProtocols } from '../../core/peer.ts';
import { ByteReader } from './byte-reader.ts';
import { Extension } from './extensions.ts';
import { readHandshakeMessage } from './handshake-message.ts';
import {
  ClientHelloParseFailed,
  DecodeError,
  ErrorParsingExtension,
  InvalidVersion,
  type HelloProblem,
} from './hello-problem.ts';

/** RFC 6066 section 3. */
const serverNameBytesMax = 255;

/** TLS 1.0 and 1.3. */
const versionMin = 0x0301;
const versionMax = 0x0304;

/** A ClientHello (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2), or what was found in its place. */
export class ClientHello {
  /** Null: a server could answer it. */
  readonly problem: HelloProblem | null;
  /** How many of the bytes it takes, or were looked at to find the problem. */
  readonly consumed: number;
  /** Lower-case; empty: none was sent. */
  readonly serverName: string;
  /** ALPN, in the client's order; empty: none was sent, or it cannot be read. */
  readonly applicationProtocols: readonly string[];
  /** What it says; of TLS 1.3 and above `supported_versions` tells. */
  readonly legacyVersion: number;
  /** Empty: the extension was not sent, or cannot be read. */
  readonly supportedVersions: readonly number[];
  readonly cipherSuites: readonly number[];
  /** In the client's order. */
  readonly extensions: readonly { readonly type: number; readonly contents: ByteReader }[];
  /** Its fields were read, whatever is wrong with what they say. */
  readonly isReadable: boolean;

  constructor(facts: Omit<ClientHello, 'extension'>) {
    this.problem = facts.problem;
    this.consumed = facts.consumed;
    this.serverName = facts.serverName;
    this.applicationProtocols = facts.applicationProtocols;
    this.legacyVersion = facts.legacyVersion;
    this.supportedVersions = facts.supportedVersions;
    this.cipherSuites = facts.cipherSuites;
    this.extensions = facts.extensions;
    this.isReadable = facts.isReadable;
  }

  /** Its contents, of which nothing was read; null: it was not sent. */
  extension(type: number): ByteReader | null {
    return this.extensions.find((extension) => extension.type === type)?.contents.again() ?? null;
  }
}

type Facts = { -readonly [Name in keyof Omit<ClientHello, 'extension'>]: ClientHello[Name] };

/**
 * What a connection begins with, as a TLS server would see it. Pure, and reads no byte behind the hello: all that has
 * arrived is given anew each time.
 * @returns null: more is needed to tell
 */
export function readClientHello(bytes: Uint8Array): ClientHello | null {
  const message = readHandshakeMessage(bytes);
  if (message === null) return null;
  const facts: Facts = {
    problem: message.problem,
    consumed: message.consumed,
    serverName: '',
    applicationProtocols: noProtocols,
    legacyVersion: 0,
    supportedVersions: [],
    cipherSuites: [],
    extensions: [],
    isReadable: false,
  };
  if (facts.problem === null) facts.problem = readHello(new ByteReader(message.body), facts);
  return new ClientHello(facts);
}

function readHello(body: ByteReader, facts: Facts): HelloProblem | null {
  const legacyVersion = body.u16();
  body.skip(32);
  const session = body.vector8();
  const suites = body.vector16();
  const compression = body.vector8();
  if (body.hasFailed || session.left > 32) return ClientHelloParseFailed;
  if (suites.left < 2 || suites.left % 2 !== 0 || compression.left < 1) return ClientHelloParseFailed;
  const extensions = body.left === 0 ? [] : readExtensions(body);
  if (extensions === null) return ClientHelloParseFailed;
  if (!isReadableEch(find(extensions, Extension.EncryptedClientHello))) return DecodeError;
  const serverName = readServerName(find(extensions, Extension.ServerName));
  if (serverName === null) return ErrorParsingExtension;
  facts.isReadable = true;
  facts.serverName = serverName;
  facts.legacyVersion = legacyVersion;
  facts.cipherSuites = suites.numbers();
  facts.extensions = extensions;
  facts.applicationProtocols = readProtocols(find(extensions, Extension.Alpn));
  facts.supportedVersions = readVersions(find(extensions, Extension.SupportedVersions));
  return legacyVersion < versionMin || legacyVersion > versionMax ? InvalidVersion : null;
}

type Extensions = ClientHello['extensions'];

/** Null: they are no list, or one is named twice. */
function readExtensions(body: ByteReader): Extensions | null {
  const list = body.vector16();
  if (!body.isComplete) return null;
  const extensions: { type: number; contents: ByteReader }[] = [];
  const seen = new Set<number>();
  while (list.left > 0) {
    const type = list.u16();
    const contents = list.vector16();
    if (list.hasFailed || seen.has(type)) return null;
    seen.add(type);
    extensions.push({ type, contents });
  }
  return extensions;
}

function find(extensions: Extensions, type: number): ByteReader | null {
  return extensions.find((extension) => extension.type === type)?.contents.again() ?? null;
}

function readVersions(contents: ByteReader | null): readonly number[] {
  if (contents === null) return [];
  const list = contents.vector8();
  const versions = list.numbers();
  return contents.isComplete && list.isComplete ? versions : [];
}

/** BoringSSL reads the outer form, before anything else, although it has no key for it. */
function isReadableEch(contents: ByteReader | null): boolean {
  if (contents === null) return true;
  const isOuter = contents.u8() === 0;
  if (contents.hasFailed || !isOuter) return !contents.hasFailed;
  contents.skip(2 + 2 + 1);
  contents.vector16();
  const payload = contents.vector16();
  return contents.isComplete && payload.left > 0;
}

/** Empty: not sent. Null: it cannot be read. */
function readServerName(contents: ByteReader | null): string | null {
  if (contents === null) return '';
  const list = contents.vector16();
  const type = list.u8();
  const name = list.vector16();
  if (!contents.isComplete || !list.isComplete || type !== 0) return null;
  if (name.left === 0 || name.left > serverNameBytesMax) return null;
  const text = latin1(name.bytes, name.at, name.end);
  return text.includes('\0') ? null : lowerCase(text);
}

/** ASCII letters only. */
function lowerCase(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function readProtocols(contents: ByteReader | null): readonly string[] {
  if (contents === null) return noProtocols;
  const list = contents.vector16();
  if (!contents.isComplete || list.left < 2) return noProtocols;
  const protocols: string[] = [];
  while (list.left > 0) {
    const name = list.vector8();
    if (list.hasFailed || name.left === 0) return noProtocols;
    protocols.push(latin1(name.bytes, name.at, name.end));
  }
  return protocols;
}
