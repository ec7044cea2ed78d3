import { readFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { AgentError } from '../../agent/agent-error.ts';
import { parseResolvConf } from '../../agent/dns/resolv-conf.ts';
import { Environment, type Variables } from '../../agent/environment.ts';
import { intercept, interceptionText, stopIntercepting } from '../../agent/iptables/intercept.ts';
import { completeWish, readInterception, type Interception } from '../../agent/iptables/interception.ts';
import { machineAddresses } from '../../agent/machine-addresses.ts';
import type { IptablesInvocation } from './invocation.ts';

/** As istio-validation ends when connections are not redirected: Istio's repair looks for it. */
const validationStatus = 126;
const defaultProbePort = 15_002;
const defaultProbeTimeoutMs = 5000;
const probeEveryMs = 200;

/** @returns the exit status, and what is printed */
export async function runIptables(
  { action, isValidated, probePort, probeTimeoutMs, wish }: IptablesInvocation,
  variables: Variables,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const facts = { addresses: machineAddresses(), dnsServers: dnsServers() };
    const environment = new Environment(variables);
    const interception = readInterception(completeWish(wish, environment), facts);
    const probe: Probe = {
      port: probePort ?? environment.integer('IPTABLES_PROBE_PORT', defaultProbePort),
      timeoutMs: probeTimeoutMs ?? environment.durationMs('PROBE_TIMEOUT', defaultProbeTimeoutMs),
    };
    const text = act(action, interception);
    if (!isValidated || action === 'print' || (await isRedirected(interception, probe))) return { status: 0, text };
    const problem = `${text}connections are not redirected: rules are missing, or were made for another port\n`;
    return { status: validationStatus, text: problem };
  } catch (error) {
    if (error instanceof AgentError) return { status: 1, text: `error: ${error.message}\n` };
    throw error;
  }
}

function act(action: IptablesInvocation['action'], interception: Interception): string {
  switch (action) {
    case 'print':
      return interceptionText(interception);
    case 'cleanup':
      return stopIntercepting(interception) ? 'rules are taken away\n' : 'there were no rules\n';
    case 'apply':
      return intercept(interception) ? 'rules are set\n' : 'rules were set already\n';
    case 'validate':
      return '';
  }
}

function dnsServers(): readonly string[] {
  try {
    return parseResolvConf(readFileSync('/etc/resolv.conf', 'utf8')).servers;
  } catch {
    return [];
  }
}

/** What a validation connects to, and for how long it tries. */
interface Probe {
  readonly port: number;
  readonly timeoutMs: number;
}

/** A connection to 127.0.0.6, where nobody listens, comes to the proxy's port. */
async function isRedirected({ inboundPort, outboundPort }: Interception, probe: Probe): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const servers = [outboundPort, inboundPort].map((port) => {
    const server = createServer((socket) => {
      socket.destroy();
      resolve(true);
    });
    server.on('error', () => resolve(false));
    return server.listen(Number(port), '127.0.0.1');
  });
  const asking = setInterval(() => {
    const socket = connect(probe.port, '127.0.0.6');
    socket.on('error', () => {});
    socket.setTimeout(probeEveryMs, () => socket.destroy());
  }, probeEveryMs);
  const timer = setTimeout(() => resolve(false), probe.timeoutMs);
  const isSeen = await promise;
  clearInterval(asking);
  clearTimeout(timer);
  for (const server of servers) server.close();
  return isSeen;
}
