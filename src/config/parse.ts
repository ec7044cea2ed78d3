import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { BootstrapSchema, type Bootstrap } from '../proto/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { create } from '../proto/protobuf.js';
import type { ConfigDocument } from './document.ts';
import { MessageReader } from './message-reader.ts';
import type { ConfigReason } from './problem.ts';
import { checkReferences, referringTypes, type Referring } from './references.ts';
import { Validator } from './validator.ts';

export interface ParseOptions {
  /** Envoy's `--allow-unknown-static-fields`: unknown fields become warnings. */
  readonly allowUnknown?: boolean;
}

export interface Parsed<T> {
  /** Complete only when `reasons` has nothing but warnings; of what was wrong, what could be read. */
  readonly message: T;
  /** Everything that is wrong, in no order; `place` finds where. */
  readonly reasons: ConfigReason[];
  /** The text is such a message, if perhaps one that breaks its proto's rules. */
  readonly isRead: boolean;
}

/** A bootstrap with its cross references checked. */
export function parseBootstrap(document: ConfigDocument, options: ParseOptions = {}): Parsed<Bootstrap> {
  const referring: Referring[] = [];
  const parsed = parse(document, BootstrapSchema, options, referring);
  parsed.reasons.push(...checkReferences(parsed.message, referring));
  return parsed;
}

/** Any other message: a RouteConfiguration, a DiscoveryResponse. */
export function parseMessage<Desc extends DescMessage>(
  document: ConfigDocument,
  schema: Desc,
  options: ParseOptions = {},
): Parsed<MessageShape<Desc>> {
  return parse(document, schema, options, []);
}

export function isRefused(reasons: readonly ConfigReason[]): boolean {
  return reasons.some((reason) => reason.isWarning !== true);
}

function parse<Desc extends DescMessage>(
  document: ConfigDocument,
  schema: Desc,
  options: ParseOptions,
  referring: Referring[],
): Parsed<MessageShape<Desc>> {
  const message = create(schema);
  const unread = [...document.reasons, ...(document.override?.reasons ?? [])];
  if (unread.length > 0) return { message, reasons: unread, isRead: false };
  const reader = new MessageReader({
    allowUnknown: options.allowUnknown ?? false,
    onPacked(type, packed) {
      validator.validate(type, packed);
    },
    watched: referringTypes,
    onWatched: (type, watched, path) => referring.push({ type, message: watched, path }),
  });
  const validator = new Validator(reader.path, { opensAny: false, failedPaths: reader.failedPaths });
  // As Envoy merges: messages, not texts. Lists grow, an Any is replaced.
  const isRead = [document, document.override].every((one) => one === null || reader.read(schema, one.value, message));
  if (isRead) validator.validate(schema, message);
  const reasons = [...reader.reasons, ...validator.reasons];
  return { message, reasons, isRead: isRead && !isRefused(reader.reasons) };
}
