import { unwrapTypedStruct } from '../config/typed-struct.ts';
import type { ExtensionData, ExtensionDecoder, Extensions, PackedMessage } from '../core/extension.ts';
import type { Reasons } from '../core/rejection.ts';
import { SecretSources } from '../identity/secret-sources.ts';
import { emptyRuntime, type RuntimeView } from '../core/runtime-view.ts';

/** Where the decoder of one message type is, and in which places of the configuration the type may stand. */
export interface ExtensionEntry {
  readonly category: string;
  /** Further places. */
  readonly alsoIn?: readonly string[];
  readonly kind: string;
  load(): Promise<ExtensionDecoder>;
}

/**
 * The extensions that sekisho has. A decoder is loaded when a configuration names its type, so that start-up pays only
 * for what is used; afterwards decoding is synchronous.
 */
export class ExtensionTable implements Extensions {
  runtime: RuntimeView;
  secrets: SecretSources;
  onNeeds: (needs: readonly object[]) => void;
  private readonly entries: ReadonlyMap<string, ExtensionEntry>;
  private readonly decoders: Map<string, ExtensionDecoder>;

  constructor(entries: Iterable<ExtensionEntry>, decoders = new Map<string, ExtensionDecoder>()) {
    this.entries = new Map(Array.from(entries, (entry) => [entry.kind, entry]));
    this.decoders = decoders;
    this.runtime = emptyRuntime;
    this.secrets = new SecretSources();
    this.onNeeds = () => {};
  }

  /** The same extensions, for another configuration: what decoders know of that is its own. */
  fork(): ExtensionTable {
    return new ExtensionTable(this.entries.values(), this.decoders);
  }

  get kinds(): readonly string[] {
    return [...this.entries.keys()];
  }

  knows(typeUrl: string): boolean {
    return this.entries.has(messageName(typeUrl));
  }

  /** Loads the decoders of these message types; those that no entry names are left for `open` to refuse. */
  async load(kinds: Iterable<string>): Promise<void> {
    const missing = [...new Set(kinds)].filter((kind) => !this.decoders.has(kind));
    await Promise.all(
      missing.map(async (kind) => {
        const decoder = await this.entries.get(kind)?.load();
        if (decoder !== undefined) this.decoders.set(kind, decoder);
      }),
    );
  }

  open(
    category: string,
    name: string,
    config: PackedMessage | undefined,
    reasons: Reasons,
    field: string | null = 'typed_config',
  ): ExtensionData | null {
    const at = field === null ? reasons : reasons.at(field);
    if (config === undefined) {
      at.add(`extension '${name}' (${category}) has no typed_config; name its message by '@type'`);
      return null;
    }
    const { packed, reasons: broken } = unwrapTypedStruct(config);
    for (const { path, message } of broken) at.at(path === '' ? 'value' : `value.${path}`).add(message);
    if (broken.length > 0) return null;
    const kind = messageName(packed.typeUrl);
    const entry = this.entries.get(kind);
    const decoder = this.decoders.get(kind);
    if (entry === undefined || decoder === undefined) {
      at.add(`extension '${name}' (${category}) of type '${kind}' is not supported by sekisho`);
      return null;
    }
    if (entry.category !== category && entry.alsoIn?.includes(category) !== true) {
      at.add(
        `Didn't find a registered implementation for '${name}' with type URL: '${kind}': ` +
          `it belongs to ${entry.category}, not to ${category}`,
      );
      return null;
    }
    const before = reasons.list.length;
    const data = decoder.decode(packed.value, at, this, category);
    return reasons.list.length > before ? null : { name, kind, data };
  }
}

function messageName(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}
