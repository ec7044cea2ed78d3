import { expect, test } from 'vitest';
import { hostQuestions, MissingRoutes } from '../../../../../src/proxy/http/on-demand/missing-routes.ts';
import { RouteLookups } from '../../../../../src/proxy/http/on-demand/route-lookups.ts';
import type { RouteQuestion } from '../../../../../src/proxy/http/on-demand/route-question.ts';
import type { RouteConfigurationData } from '../../../../../src/route/route-data.ts';
import { requestHead } from '../hcm-fixture.ts';

const host = (name: string): RouteQuestion => ({ kind: 'host', key: 'k', host: name });

function world() {
  const asked: RouteQuestion[] = [];
  const told: string[] = [];
  const waiter = (name: string) => ({ onRoute: (isThere: boolean) => told.push(`${name} ${isThere}`) });
  return { lookups: new RouteLookups((question) => asked.push(question)), asked, told, waiter };
}

test('a question is asked once, and answered to all who wait', () => {
  const { lookups, asked, told, waiter } = world();
  const [one, two] = [waiter('one'), waiter('two')];
  expect(lookups.want(host('a'), one)).toBe('waiting');
  lookups.want(host('a'), two);
  lookups.want({ ...host('a'), kind: 'scope' }, one);
  expect(asked).toEqual([host('a'), { ...host('a'), kind: 'scope' }]);
  lookups.cancel(host('a'), two);
  lookups.answered(host('a'), true);
  lookups.answered(host('a'), false);
  expect(told).toEqual(['one true']);
  lookups.want(host('a'), two);
  expect(asked).toHaveLength(3);
});

test('how many may be asked, and how long their names may be, has a bound', () => {
  const { lookups, waiter } = world();
  expect(lookups.want(host('a'.repeat(1025)), waiter('long'))).toBe('refused');
  for (let i = 0; i < 1024; i++) expect(lookups.want(host(`${i}`), waiter(''))).toBe('waiting');
  expect(lookups.want(host('more'), waiter(''))).toBe('refused');
  expect(lookups.want(host('0'), waiter(''))).toBe('waiting');
});

test('hosts are asked for of routes that may know more, in lower case', () => {
  const { lookups, asked, told, waiter } = world();
  const missing = new MissingRoutes(lookups);
  const head = requestHead([]);
  head.authority = 'A.Test:80';
  expect(missing.want(head, waiter('one'))).toBeNull();
  missing.questionOf = hostQuestions({ usesVhds: true } as RouteConfigurationData, 'k');
  const cancel = missing.want(head, waiter('one'));
  expect(asked).toEqual([host('a.test:80')]);
  cancel!();
  lookups.answered(host('a.test:80'), true);
  expect(told).toEqual([]);
  missing.questionOf = hostQuestions({} as RouteConfigurationData, 'k');
  expect(missing.want(head, waiter('one'))).toBeNull();
});
