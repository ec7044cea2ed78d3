import { describe, expect, it } from 'vitest';
import { readClientHello } from '../../../../src/codec/client-hello/client-hello.ts';
import { ja3, ja4 } from '../../../../src/codec/client-hello/fingerprint.ts';
import { InvalidVersion, problemText, WrongVersionNumber } from '../../../../src/codec/client-hello/hello-problem.ts';
import { extension, hello, protocols, serverName, usual, versions } from './hellos.ts';

describe('a ClientHello', () => {
  it('says whom it calls, and in what', () => {
    expect(readClientHello(usual('www.example.org', 'h2', 'http/1.1'))).toMatchObject({
      problem: null,
      isReadable: true,
      serverName: 'www.example.org',
      applicationProtocols: ['h2', 'http/1.1'],
      legacyVersion: 0x0303,
      supportedVersions: [0x0304, 0x0303],
    });
  });

  it('has the fingerprints that Envoy finds', () => {
    const one = readClientHello(hello({ extensions: [serverName('x.y'), versions(0x0304)] }))!;
    expect([ja3(one), ja4(one)]).toEqual(['a5cbcc4a87db492804f4d078cc4890e4', 't13d050200_97f579648e2a_b9a491fefe05']);
    const two = readClientHello(hello({ extensions: [protocols('\x01\xfe')] }))!;
    expect([ja3(two), ja4(two)]).toEqual([
      '0e0c2ee76be9b3c11c1fa55775abeaa0',
      't12i050101fe_97f579648e2a_000000000000',
    ]);
  });

  it('of no extensions has no fingerprint of them', () => {
    const one = readClientHello(hello({ extensions: null }))!;
    expect(ja4(one)).toBe('t12i050000_97f579648e2a_000000000000');
  });

  it('of a version that there is not can be read all the same', () => {
    const one = readClientHello(hello({ version: 0x0200, extensions: [serverName('old.test')] }))!;
    expect([one.problem, one.serverName]).toEqual([InvalidVersion, 'old.test']);
  });

  it('gives an extension anew each time that it is asked for', () => {
    const one = readClientHello(hello({ extensions: [extension(77, Buffer.from([1, 2]))] }))!;
    expect([one.extension(77)!.u16(), one.extension(77)!.u16(), one.extension(78)]).toEqual([258, 258, null]);
  });
});

it('what is none has a name', () => {
  expect(readClientHello(Buffer.from('hello'))!.problem).toBe(WrongVersionNumber);
  expect(problemText(WrongVersionNumber)).toBe('error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER');
});
