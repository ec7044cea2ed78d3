export const tables = ['filter', 'mangle', 'nat', 'raw'] as const;
export type Table = (typeof tables)[number];

/** One rule of iptables. */
export interface Rule {
  readonly table: Table;
  readonly chain: string;
  /** Where it is put, from 1; 0: at the end. */
  readonly position: number;
  /** Matches and the target, as iptables writes them. */
  readonly words: readonly string[];
}

const builtIn: ReadonlySet<string> = new Set([
  'INPUT',
  'OUTPUT',
  'FORWARD',
  'PREROUTING',
  'POSTROUTING',
  'ACCEPT',
  'RETURN',
  'DROP',
]);

/** Rules of one family, in the order in which they are made. */
export class RuleList {
  readonly rules: Rule[];

  constructor() {
    this.rules = [];
  }

  append(chain: string, table: Table, ...words: readonly string[]): void {
    this.rules.push({ table, chain, position: 0, words });
  }

  insert(chain: string, table: Table, position: number, ...words: readonly string[]): void {
    this.rules.push({ table, chain, position, words });
  }

  /** Chains that have to be made, and where: those with rules first, then those that are only jumped to. */
  chains(table: Table): string[] {
    const rules = this.rules.filter((rule) => rule.table === table);
    const targets = rules.filter(({ words }) => words.at(-2) === '-j').map(({ words }) => words.at(-1)!);
    return [...new Set([...rules.map(({ chain }) => chain), ...targets])].filter((chain) => !builtIn.has(chain));
  }

  /** Input of `iptables-restore --noflush`, as istio-iptables writes it. */
  restoreText(): string {
    return tables.map((table) => this.tableText(table)).join('');
  }

  private tableText(table: Table): string {
    const rules = this.rules.filter((rule) => rule.table === table);
    if (rules.length === 0) return '';
    const lines = [...this.chains(table).map((chain) => `-N ${chain}`), ...rules.map(ruleText)];
    return `* ${table}\n${lines.map((line) => `${line}\n`).join('')}COMMIT\n`;
  }
}

/** `-A chain …` or `-I chain position …`. */
export function ruleText({ chain, position, words }: Rule): string {
  return `${position === 0 ? `-A ${chain}` : `-I ${chain} ${position}`} ${words.join(' ')}`;
}

/** A rule of a chain that is not ours alone. */
export function isInBuiltIn({ chain }: Rule): boolean {
  return builtIn.has(chain);
}
