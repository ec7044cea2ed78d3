import { expect, test } from 'vitest';
import { containerTimes } from '../../src/control/overload/monitor/cpu-times.ts';
import type { SystemFiles } from '../../src/control/overload/monitor/files.ts';
import { InjectedResource } from '../../src/control/overload/monitor/injected-resource.ts';
import { Triggers } from '../../src/control/overload/trigger.ts';
import { runtimeNumber, runtimeText } from '../../src/control/runtime-data.ts';
import * as fc from './chance.ts';

const share = fc.double({ min: 0, max: 1, noNaN: true });

test('the state of triggers is between 0 and 1, and never falls while the pressure rises', () => {
  fc.assert(
    fc.property(share, share, fc.array(share, { maxLength: 20 }), (one, other, pressures) => {
      const triggers = new Triggers([{ resource: 'r', from: Math.min(one, other), to: Math.max(one, other) }]);
      let before = 0;
      for (const pressure of pressures.toSorted((a, b) => a - b)) {
        triggers.update('r', pressure);
        expect(triggers.state).toBeGreaterThanOrEqual(before);
        expect(triggers.state).toBeLessThanOrEqual(1);
        before = triggers.state;
      }
    }),
  );
});

test('any file is a pressure between 0 and 1, or said to be none', () => {
  const files = (text: string): SystemFiles => ({ read: () => text, exists: () => true, identity: () => 1 });
  const text = fc.oneof(fc.string(), share.map(String), fc.double().map(String));
  fc.assert(
    fc.property(text, (content) => {
      const monitor = new InjectedResource('p', files(content));
      try {
        const pressure = monitor.pressure();
        expect(pressure >= 0 && pressure <= 1).toBe(true);
      } catch (error) {
        expect((error as Error).message).toMatch(/^(failed to parse|pressure out of range)/);
      }
    }),
  );
});

test('any list of processors is times, or said to be none', () => {
  const list = fc.oneof(fc.string(), fc.stringMatching(/^\d{1,3}(-\d{1,3})?(,\d{1,3}(-\d{1,3})?){0,3}$/));
  fc.assert(
    fc.property(list, (cpus) => {
      const texts: Readonly<Record<string, string>> = {
        '/sys/fs/cgroup/cpu.stat': 'usage_usec 5\n',
        '/sys/fs/cgroup/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/cpuset.cpus.effective': cpus,
      };
      const files: SystemFiles = { read: (path) => texts[path], exists: () => true, identity: () => 1 };
      try {
        const { work, total } = containerTimes(files, 1);
        expect(work).toBe(5);
        expect(total).toBeGreaterThanOrEqual(1000);
      } catch (error) {
        expect((error as Error).message).toContain('cpuset.cpus.effective');
      }
    }),
  );
});

test('any text is a value of the runtime, and a number comes back as far as six digits tell', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const value = runtimeText(text);
      expect(value.text).toBe(text);
      expect(value.number === null || Number.isFinite(value.number)).toBe(true);
    }),
  );
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      const again = runtimeText(runtimeNumber(number).text).number!;
      expect(Math.abs(again - number)).toBeLessThanOrEqual(Math.abs(number) * 1e-5);
    }),
  );
});
