import type { OpenedResource, SubscriptionUser } from '../../../../src/control/xds/resource-kind.ts';

/** Keeps what it is given, unless told to refuse. */
export class Taker implements SubscriptionUser {
  /** `all version: names` and `delta version: names -removed`. */
  readonly heard: string[] = [];
  /** Names → their own versions. */
  readonly has = new Map<string, string>();
  refusal = '';
  /** Does it while it is given something. */
  meanwhile: (() => void) | null = null;
  private waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[] = [];

  onResources(resources: readonly OpenedResource[], version: string): string {
    return this.take(`all ${version}: ${namesOf(resources)}`, resources, []);
  }

  onDelta(set: readonly OpenedResource[], removed: readonly string[], version: string): string {
    const gone = removed.map((name) => ` -${name}`).join('');
    return this.take(`delta ${version}: ${namesOf(set)}${gone}`, set, removed);
  }

  onGivenUp(): void {
    this.heard.push('given up');
    this.look();
  }

  /** Resolves when it has heard so much. */
  async count(count: number): Promise<readonly string[]> {
    await this.until(() => this.heard.length >= count);
    return this.heard;
  }

  async until(isMet: () => boolean): Promise<void> {
    if (isMet()) return;
    await new Promise<void>((resolve) => this.waiting.push({ isMet, resolve }));
  }

  private take(what: string, set: readonly OpenedResource[], removed: readonly string[]): string {
    this.heard.push(this.refusal === '' ? what : `refused ${what}`);
    if (this.refusal === '') {
      for (const { name, version } of set) this.has.set(name, version);
      for (const name of removed) this.has.delete(name);
    }
    this.meanwhile?.();
    this.look();
    return this.refusal;
  }

  private look(): void {
    const met = this.waiting.filter(({ isMet }) => isMet());
    this.waiting = this.waiting.filter((one) => !met.includes(one));
    for (const { resolve } of met) resolve();
  }
}

function namesOf(resources: readonly OpenedResource[]): string {
  return resources
    .map(({ name }) => name)
    .toSorted()
    .join(' ');
}
