import { spawnSync } from 'node:child_process';
import { AgentError } from '../agent-error.ts';
import { isInBuiltIn, ruleText, tables, type Rule, type RuleList, type Table } from './rule-list.ts';

/** Programs of one family. */
const programs = {
  v4: { check: 'iptables', save: 'iptables-save', restore: 'iptables-restore' },
  v6: { check: 'ip6tables', save: 'ip6tables-save', restore: 'ip6tables-restore' },
} as const;

/** Chains that are ours, and rules of others' chains that jump to them. */
interface TableState {
  /** How many rules each has. */
  readonly chains: Map<string, number>;
  readonly jumps: string[];
}

/** The rules of this machine, or of the network namespace that the process is in. */
export class MachineRules {
  private readonly family: keyof typeof programs;

  constructor(family: keyof typeof programs) {
    this.family = family;
  }

  /**
   * Puts these in the place of what is there of ours, each table in one step: at no moment are there none.
   * @returns false: they were there already. @throws AgentError
   */
  apply(list: RuleList): boolean {
    const state = this.read();
    if (this.has(list, state)) return false;
    this.restore(tables.map((table) => this.replacement(table, list, state.get(table)!)).join(''));
    return true;
  }

  /** Takes all away that is ours, and of others' chains what the list has. @returns false: there was nothing */
  clean(list: RuleList): boolean {
    const state = this.read();
    const text = tables.map((table) => this.removal(table, list, state.get(table)!)).join('');
    if (text === '') return false;
    this.restore(text);
    return true;
  }

  private has(list: RuleList, state: ReadonlyMap<Table, TableState>): boolean {
    return tables.every((table) => {
      const rules = list.rules.filter((rule) => rule.table === table);
      const { chains } = state.get(table)!;
      const wanted = list.chains(table);
      if (wanted.length !== chains.size) return false;
      const isAsLong = (chain: string): boolean =>
        chains.get(chain) === rules.filter((rule) => rule.chain === chain).length;
      return wanted.every(isAsLong) && rules.every((rule) => this.isThere(rule));
    });
  }

  private replacement(table: Table, list: RuleList, state: TableState): string {
    const rules = list.rules.filter((rule) => rule.table === table);
    const old = this.leavings(table, list, state);
    const wanted = list.chains(table);
    const unwanted = [...state.chains.keys()].filter((chain) => !wanted.includes(chain));
    if (rules.length === 0 && old.length === 0 && unwanted.length === 0) return '';
    const lines = [
      // Named so, a chain is made, or emptied.
      ...wanted.map((chain) => `:${chain} - [0:0]`),
      ...old,
      ...unwanted.map((chain) => `-F ${chain}`),
      ...rules.map(ruleText),
      ...unwanted.map((chain) => `-X ${chain}`),
    ];
    return `*${table}\n${lines.map((line) => `${line}\n`).join('')}COMMIT\n`;
  }

  private removal(table: Table, list: RuleList, state: TableState): string {
    const chains = [...state.chains.keys()];
    const lines = [
      ...this.leavings(table, list, state),
      ...chains.map((chain) => `-F ${chain}`),
      ...chains.map((chain) => `-X ${chain}`),
    ];
    return lines.length === 0 ? '' : `*${table}\n${lines.map((line) => `${line}\n`).join('')}COMMIT\n`;
  }

  /** What is to be deleted of others' chains: every jump to ours, and rules of the list that are there. */
  private leavings(table: Table, list: RuleList, state: TableState): string[] {
    const rules = list.rules.filter((rule) => rule.table === table && isInBuiltIn(rule));
    const found = rules
      .filter(({ words }) => !words.at(-1)!.startsWith('ISTIO_'))
      .filter((rule) => this.isThere(rule))
      .map(({ chain, words }) => `-D ${chain} ${words.join(' ')}`);
    return [...state.jumps, ...found];
  }

  private isThere({ table, chain, words }: Rule): boolean {
    return run(programs[this.family].check, ['-t', table, '-C', chain, ...words], '').status === 0;
  }

  private read(): Map<Table, TableState> {
    const { status, stdout, stderr } = run(programs[this.family].save, [], '');
    if (status !== 0) throw refusal(programs[this.family].save, stderr);
    return parseState(stdout);
  }

  private restore(text: string): void {
    const { status, stderr } = run(programs[this.family].restore, ['--noflush'], text);
    if (status !== 0) throw refusal(programs[this.family].restore, stderr);
  }
}

/** Of what iptables-save prints. */
export function parseState(text: string): Map<Table, TableState> {
  const state = new Map<Table, TableState>(tables.map((table) => [table, { chains: new Map(), jumps: [] }]));
  let current: TableState | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) current = state.get(line.slice(1).trim() as Table);
    const chain = /^:(ISTIO_\S+)/.exec(line)?.[1];
    if (chain !== undefined) current?.chains.set(chain, 0);
    const rule = /^-A (\S+) /.exec(line);
    if (rule === null || current === undefined) continue;
    const count = current.chains.get(rule[1]);
    if (count !== undefined) current.chains.set(rule[1], count + 1);
    else if (/ -j ISTIO_\S+$/.test(line)) current.jumps.push(`-D${line.slice(2)}`);
  }
  return state;
}

function run(
  program: string,
  args: readonly string[],
  input: string,
): { status: number; stdout: string; stderr: string } {
  const { error, status, stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8' });
  if (error !== undefined) throw new AgentError(`${program} cannot be run: ${error.message}`);
  return { status: status ?? 1, stdout, stderr };
}

function refusal(program: string, problem: string): AgentError {
  const isRefused = /permission denied|not permitted|must be root/i.test(problem);
  const needs = isRefused
    ? ' (rules need the capabilities NET_ADMIN and NET_RAW, which istio-init or istio-cni has)'
    : '';
  return new AgentError(`${program}: ${problem.trim().split('\n')[0]}${needs}`);
}

/** `ip` with these words. @param isKnown what it may say of what is there already */
export function ip(words: readonly string[], isKnown: RegExp): void {
  const { status, stderr } = run('ip', words, '');
  if (status !== 0 && !isKnown.test(stderr)) throw refusal(`ip ${words.join(' ')}`, stderr);
}

/** Whether `ip` prints this for these words. */
export function ipHas(words: readonly string[], expected: RegExp): boolean {
  return expected.test(run('ip', words, '').stdout);
}
