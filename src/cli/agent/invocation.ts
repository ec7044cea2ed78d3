import type { AgentFlags } from '../../agent/agent-flags.ts';
import type { InterceptionWish } from '../../agent/iptables/interception.ts';

/** What a command of the agent asks for. */
export type AgentInvocation =
  /** `logLevel`: of the agent's own lines. */
  | { readonly command: 'agent'; readonly flags: AgentFlags; readonly logLevel: string }
  | { readonly command: 'wait'; readonly wait: WaitOptions }
  | { readonly command: 'request'; readonly request: AdminRequest }
  | { readonly command: 'iptables'; readonly iptables: IptablesInvocation };

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly periodMs: number;
  readonly url: string;
}

export interface AdminRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly port: number;
}

export interface IptablesInvocation {
  /** What was given; what was not is the environment's or has a default. */
  readonly wish: Partial<InterceptionWish>;
  readonly action: 'apply' | 'cleanup' | 'print' | 'validate';
  /** After it has been applied, or instead. */
  readonly isValidated: boolean;
  /** What a validation connects to, and for how long it tries; null: what the environment says, or the default. */
  readonly probePort: number | null;
  readonly probeTimeoutMs: number | null;
}
