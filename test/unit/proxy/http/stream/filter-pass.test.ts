import { describe, expect, test } from 'vitest';
import { Verdict } from '../../../../../src/filter/filter.ts';
import { ScriptedFilter, ScriptPass } from '../script-pass.ts';

const { Continue, Stop, StopAndBuffer } = Verdict;

function passOf(...scripts: Verdict[][]): ScriptPass {
  return new ScriptPass(scripts.map((script) => new ScriptedFilter(script)));
}

test('what nobody stops passes at once', () => {
  const pass = passOf([], []);
  pass.passHead('head', false);
  expect(pass.passed).toEqual(['head']);
  pass.chunk('a');
  expect(pass.passed).toEqual(['head', 'a']);
  pass.end();
  expect(pass.passed).toEqual(['head', 'a', 'trailers', 'end']);
});

describe('Stop', () => {
  test('at the head holds everything behind it, and the filters behind see it later', () => {
    const pass = passOf([Stop], []);
    pass.passHead('head', false);
    pass.chunk('a');
    pass.chunk('b', true);
    expect(pass.passed).toEqual([]);
    expect(pass.filters.map(({ seen }) => seen)).toEqual([['head'], []]);
    pass.go(0);
    expect(pass.passed).toEqual(['head', 'a', 'b', 'end']);
    expect(pass.filters[0].seen).toEqual(['head', 'a', 'b', 'end']);
    expect(pass.filters[1].seen).toEqual(['head', 'a', 'b', 'end']);
  });

  test('at a chunk: the filter does not see that one again', () => {
    const pass = passOf([Continue, Stop]);
    pass.passHead('head', false);
    pass.chunk('a');
    pass.chunk('b');
    expect(pass.passed).toEqual(['head']);
    pass.go(0);
    expect(pass.passed).toEqual(['head', 'a', 'b']);
    expect(pass.filters[0].seen).toEqual(['head', 'a', 'b']);
  });

  test('at the trailers', () => {
    const pass = passOf([Continue, Continue, Stop]);
    pass.passHead('head', false);
    pass.chunk('a');
    pass.end();
    expect(pass.passed).toEqual(['head', 'a']);
    pass.go(0);
    expect(pass.passed).toEqual(['head', 'a', 'trailers', 'end']);
  });

  test('at a head without a body', () => {
    const pass = passOf([Stop]);
    pass.passHead('head', true);
    pass.go(0);
    expect(pass.passed).toEqual(['head', 'end']);
  });

  test('ends by the filter that said it, and by no other', () => {
    const pass = passOf([], [Stop]);
    pass.passHead('head', true);
    pass.go(0);
    expect(pass.passed).toEqual([]);
    pass.go(1);
    pass.go(1);
    expect(pass.passed).toEqual(['head', 'end']);
  });

  test('of one filter after the other', () => {
    const pass = passOf([Stop], [Stop]);
    pass.passHead('head', false);
    pass.chunk('a', true);
    pass.go(0);
    expect(pass.passed).toEqual([]);
    // As in Envoy each filter holds up for itself: the first sees the rest at once, the second when it has let go.
    expect(pass.filters[0].seen).toEqual(['head', 'a', 'end']);
    expect(pass.filters[1].seen).toEqual(['head']);
    pass.go(1);
    expect(pass.passed).toEqual(['head', 'a', 'end']);
    expect(pass.filters[0].seen).toEqual(['head', 'a', 'end']);
  });
});

describe('StopAndBuffer', () => {
  test('shows every chunk to the filter, and keeps all until it lets the last one through', () => {
    const pass = passOf([Stop, StopAndBuffer, StopAndBuffer]);
    pass.passHead('head', false);
    pass.go(0);
    pass.chunk('a');
    pass.chunk('b');
    expect(pass.passed).toEqual(['head']);
    expect(pass.heldBody.map((chunk) => Buffer.from(chunk).toString())).toEqual(['a', 'b']);
    pass.chunk('c', true);
    expect(pass.passed).toEqual(['head', 'a', 'b', 'c', 'end']);
    expect(pass.filters[0].seen).toEqual(['head', 'a', 'b', 'c', 'end']);
  });

  test('of the last chunk too, until the filter resumes', () => {
    const pass = passOf([Continue, StopAndBuffer, StopAndBuffer]);
    pass.passHead('head', false);
    pass.chunk('a');
    pass.chunk('b', true);
    expect(pass.passed).toEqual(['head']);
    pass.go(0);
    expect(pass.passed).toEqual(['head', 'a', 'b', 'end']);
  });

  test('of an empty end', () => {
    const pass = passOf([Continue, StopAndBuffer, StopAndBuffer]);
    pass.passHead('head', false);
    pass.chunk('a');
    pass.chunk('', true);
    pass.go(0);
    expect(pass.passed.join('')).toBe('headaend');
  });

  test('until the trailers say that the body is complete', () => {
    const pass = passOf([Continue, StopAndBuffer, StopAndBuffer]);
    pass.passHead('head', false);
    pass.chunk('a');
    pass.chunk('b');
    pass.end();
    expect(pass.passed).toEqual(['head', 'a', 'b', 'trailers', 'end']);
  });

  // A chunk that an earlier filter lets pass does not reach the one that buffers.
  test('behind a filter that lets everything pass', () => {
    const pass = passOf([], [Continue, StopAndBuffer, StopAndBuffer]);
    pass.passHead('head', false);
    pass.chunk('a');
    pass.chunk('b');
    pass.chunk('c', true);
    expect(pass.filters[1].seen).toEqual(['head', 'a', 'b', 'c', 'end']);
    expect(pass.passed).toEqual(['head', 'a', 'b', 'c', 'end']);
  });
});

describe('limits', () => {
  test('held bytes above the limit pause the sender once, half of it lets it go on', () => {
    const pass = passOf([Stop]);
    pass.limit = 4;
    pass.passHead('head', false);
    pass.chunk('1234');
    expect(pass.pressure).toEqual([]);
    pass.chunk('5');
    pass.chunk('6');
    expect(pass.pressure).toEqual(['too much']);
    pass.go(0);
    expect(pass.pressure).toEqual(['too much', 'less again']);
    expect(pass.passed).toEqual(['head', '1234', '5', '6']);
  });

  test('a little less than the limit is not enough', () => {
    const pass = passOf([Stop]);
    pass.limit = 4;
    pass.passHead('head', false);
    for (const text of ['123', '456', '78']) pass.chunk(text);
    pass.go(0);
    expect(pass.passed).toEqual(['head', '123', '456', '78']);
    // 8, 5 and then 2 bytes are held: half of the limit is reached before the second chunk passes.
    expect(pass.passedAtRelief).toBe(2);
  });

  test('a filter that wants more than that in one piece is told so', () => {
    const pass = passOf([Continue, StopAndBuffer, StopAndBuffer]);
    pass.limit = 4;
    pass.passHead('head', false);
    pass.chunk('123');
    pass.chunk('45');
    expect(pass.pressure).toEqual(['too much buffered']);
  });

  test('0 is none', () => {
    const pass = passOf([Stop]);
    pass.passHead('head', false);
    pass.chunk('x'.repeat(1 << 20));
    expect(pass.pressure).toEqual([]);
  });
});

test('cut: nothing passes any more, whoever resumes', () => {
  const pass = passOf([Stop]);
  pass.passHead('head', false);
  pass.chunk('a');
  pass.cut();
  pass.go(0);
  pass.chunk('b', true);
  pass.inject(pass.filters[0], Buffer.from('c'), true);
  expect(pass.passed).toEqual([]);
  expect(pass.isCut).toBe(true);
});

test('inject gives on behind the filter, also while it has stopped the trailers', () => {
  const pass = passOf([], [Continue, Stop], []);
  pass.passHead('head', false);
  pass.end();
  pass.inject(pass.filters[1], Buffer.from('mine'), false);
  expect(pass.passed).toEqual(['head', 'mine']);
  expect(pass.filters[0].seen).toEqual(['head', 'trailers', 'end']);
  expect(pass.filters[2].seen).toEqual(['head', 'mine']);
  pass.go(1);
  expect(pass.passed).toEqual(['head', 'mine', 'trailers', 'end']);
});

describe('a filter that makes the body', () => {
  /** Injects `text` from its head hook, then answers as it is told. */
  class Maker extends ScriptedFilter {
    pass: ScriptPass | null = null;

    override see(what: string, end: boolean, allowed: readonly Verdict[]): Verdict {
      if (what === 'head') {
        this.pass!.inject(this, Buffer.from('made'), false);
        this.pass!.inject(this, Buffer.from('up'), true);
      }
      return super.see(what, end, allowed);
    }
  }

  function passWith(maker: Maker): ScriptPass {
    const pass = new ScriptPass([new ScriptedFilter(), maker, new ScriptedFilter()]);
    maker.pass = pass;
    return pass;
  }

  test('in its head hook: the head does not end the message any more', () => {
    const pass = passWith(new Maker());
    pass.passHead('head', true);
    expect(pass.passed).toEqual(['head', 'made', 'up', 'end']);
    expect(pass.filters.map(({ seen }) => seen)).toEqual([
      ['head', 'end'],
      ['head', 'end'],
      ['head', 'made', 'up', 'end'],
    ]);
  });

  test.each([Stop, StopAndBuffer])('and holds the head up: %i', (verdict) => {
    const pass = passWith(new Maker([verdict]));
    pass.passHead('head', true);
    expect(pass.passed).toEqual([]);
    pass.go(1);
    expect(pass.passed).toEqual(['head', 'made', 'up', 'end']);
  });

  test('later, while it holds a head that ended the message', () => {
    const pass = passOf([StopAndBuffer]);
    pass.passHead('head', true);
    pass.inject(pass.filters[0], Buffer.from('late'), true);
    pass.go(0);
    expect(pass.passed).toEqual(['head', 'late', 'end']);
  });
});

describe('a head that waits for its body', () => {
  /** Takes whatever comes, and says it in capitals when the message ends. */
  class Shouter extends ScriptedFilter {
    pass: ScriptPass | null = null;
    private kept = '';

    override see(what: string, end: boolean): Verdict {
      this.seen.push(what);
      if (what === 'head') return StopAndBuffer;
      if (what !== 'trailers') this.kept += what;
      if (!end) return Verdict.Take;
      this.pass!.inject(this, Buffer.from(this.kept.toUpperCase()), what !== 'trailers');
      if (what === 'trailers') return Continue;
      this.pass!.resume(this);
      return Verdict.Take;
    }
  }

  test.each(['data', 'trailers'])('goes on before it; ended by %s', (ending) => {
    const shouter = new Shouter();
    const pass = new ScriptPass([shouter, new ScriptedFilter()]);
    shouter.pass = pass;
    pass.passHead('head', false);
    pass.chunk('a');
    pass.chunk('b', ending === 'data');
    if (ending === 'trailers') {
      expect(pass.passed).toEqual([]);
      pass.end();
    }
    const body = ['head', 'AB'];
    expect(pass.passed).toEqual([...body, ...(ending === 'data' ? [] : ['trailers']), 'end']);
    expect(shouter.seen).toEqual(['head', 'a', 'b', ...(ending === 'data' ? [] : ['trailers'])]);
  });
});

test('the end of a message that no filter has kept data of is let go, however much it is', () => {
  const whole = passOf([StopAndBuffer]);
  whole.limit = 3;
  whole.passHead('head', false);
  whole.chunk('hello', true);
  expect(whole.passed).toEqual(['head', 'hello', 'end']);
  expect(whole.pressure).toEqual(['too much', 'less again']);
  const pieces = passOf([StopAndBuffer, StopAndBuffer]);
  pieces.limit = 3;
  pieces.passHead('head', false);
  pieces.chunk('he');
  pieces.chunk('llo', true);
  expect(pieces.pressure[0]).toBe('too much buffered');
});
