import type { DnsAnswer, DnsResolver } from '../../../../src/net/dns-resolver.ts';

/** Answers when the test says so. */
export class ScriptedResolver implements DnsResolver {
  /** `name family`, in order. */
  readonly asked: string[] = [];
  private readonly waiting: { readonly name: string; readonly resolve: (answer: DnsAnswer) => void }[] = [];

  resolve(name: string, family: string): Promise<DnsAnswer> {
    this.asked.push(`${name} ${family}`);
    return new Promise((resolve) => this.waiting.push({ name, resolve }));
  }

  /** To the question about `name` that waits longest. Resolves when it has been acted on. */
  async answer(name: string, addresses: readonly string[], ttlSeconds = 30): Promise<void> {
    await this.settle(name, { kind: 'answered', addresses: addresses.map((address) => ({ address, ttlSeconds })) });
  }

  async fail(name: string): Promise<void> {
    await this.settle(name, { kind: 'failed', reason: 'ESERVFAIL' });
  }

  private async settle(name: string, answer: DnsAnswer): Promise<void> {
    const index = this.waiting.findIndex((question) => question.name === name);
    if (index < 0) throw new Error(`nobody asks for ${name}`);
    const [question] = this.waiting.splice(index, 1);
    question.resolve(answer);
    await Promise.resolve();
    await Promise.resolve();
  }
}
