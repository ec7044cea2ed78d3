/**
 * Runs as root in a network namespace of its own, which another namespace is connected to: sets rules, sees where
 * connections come out, takes the rules away. Prints what it has seen, as JSON.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { main, node } from './agent-pod.ts';

const [mode] = process.argv.slice(2);
/** The users of Istio's proxies and of an application. */
const proxyUser = 1337;
const applicationUser = 4000;
const clientTimeoutMs = 1000;

async function run(command: string, args: readonly string[], uid = 0): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], uid, gid: uid, cwd: '/' });
  const [output, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return (output + error).trim();
}

async function sekisho(...args: readonly string[]): Promise<string> {
  const output = await run(node, [main, ...args]);
  return output.split('\n')[0];
}

async function rules(): Promise<string[]> {
  const saved = `${await run('iptables-save', [])}\n${await run('ip6tables-save', [])}`;
  return saved.split('\n').filter((line) => line.startsWith('-A') || line.includes('ISTIO'));
}

const client = (host: string, port: number): string[] => [
  '-e',
  `const s=require('net').connect(${port},'${host}');s.on('data',d=>{process.stdout.write(d);process.exit()});s.on('error',()=>process.exit());setTimeout(()=>process.exit(),${clientTimeoutMs})`,
];

/** The port that a connection comes out at; empty: none. */
const from = (uid: number, host: string, port: number): Promise<string> =>
  run(process.execPath, client(host, port), uid);

/** Another pod, at the other end of a pair of interfaces. */
async function neighbour(): Promise<ChildProcess> {
  const child = spawn('unshare', ['-n', 'sh', '-c', 'echo there; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  await run('ip', ['link', 'set', 'eth0peer', 'netns', String(child.pid)]);
  for (const words of ['link set eth0peer up', 'address add 10.9.9.1/24 dev eth0peer'])
    await run('nsenter', ['-t', String(child.pid), '-n', 'ip', ...words.split(' ')]);
  return child;
}

const fromOutside = (pod: ChildProcess, host: string, port: number): Promise<string> =>
  run('nsenter', ['-t', String(pod.pid), '-n', process.execPath, ...client(host, port)]);

for (const port of [15_001, 15_006, 15_020, 8080])
  await new Promise<void>(
    (resolve) => void createServer((socket) => void socket.end(String(port))).listen(port, '0.0.0.0', resolve),
  );

const other = await neighbour();
const flags = ['-m', mode, '-i', '*', '-x', '10.2.0.0/16', '-b', '*', '-d', '15090,15021,15020', '-o', '8443'];
const before = await rules();
const seen: Record<string, unknown> = {
  set: await sekisho('istio-iptables', '-p', '15001', '-z', '15006', '-u', '1337', ...flags),
};
const count = (await rules()).length;
seen['again'] = await sekisho('agent', 'istio-iptables', ...flags);
seen['changed'] = await sekisho('iptables', ...flags, '-q', '9999');
seen['back'] = await sekisho('iptables', ...flags);
seen['isTheSame'] = (await rules()).length === count;
seen['outbound'] = await from(applicationUser, '10.1.1.1', 80);
seen['excludedRange'] = await from(applicationUser, '10.2.1.1', 80);
seen['excludedPort'] = await from(applicationUser, '10.1.1.1', 8443);
seen['ofTheProxy'] = await from(proxyUser, '10.1.1.1', 80);
seen['ofTheWorkloadToItself'] = await from(applicationUser, '10.9.9.9', 8080);
if (mode === 'REDIRECT') {
  seen['ofTheProxyToItself'] = await from(proxyUser, '10.9.9.9', 8080);
  seen['inbound'] = await fromOutside(other, '10.9.9.9', 8080);
}
seen['inboundExcluded'] = await fromOutside(other, '10.9.9.9', 15_020);
seen['cleaned'] = await sekisho('iptables', '--cleanup', '-m', mode);
seen['isAsBefore'] = (await rules()).length === before.length;
seen['routes'] = (await run('ip', ['route', 'show', 'table', '133'])).replace(
  /^Error: .*table does not exist[^]*$/,
  '',
);
seen['cleanedAgain'] = await sekisho('istio-clean-iptables');
other.kill();
process.stdout.write(JSON.stringify(seen));
process.exit();
