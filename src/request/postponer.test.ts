import { describe, expect, test } from 'vitest';
import { BodySink } from './body-sink.js';
import { Postponer } from './postponer.js';

class Collector extends BodySink {
  text = '';
  isBlocked = false;
  write(bytes: Buffer): void {
    this.text += bytes.toString('latin1');
  }
  flush(): void {
    this.text += '|';
  }
  end(): void {
    this.text += '.';
  }
  abort(): void {
    this.text += '!';
  }
}

function makePostponer() {
  const end = new Collector();
  const postponer = new Postponer();
  postponer.next = end;
  end.source = postponer;
  return { postponer, end };
}

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('postponer', () => {
  test('puts the bodies of children where they were begun, whoever is first', () => {
    const { postponer, end } = makePostponer();
    postponer.write(bytes('1'), false);
    const a = postponer.addPart(() => {});
    postponer.write(bytes('2'), false);
    const b = postponer.addPart(() => {});
    postponer.write(bytes('3'), false);
    postponer.end();
    b.write(bytes('B'), false);
    b.end();
    expect(end.text).toBe('1');
    a.write(bytes('A'), false);
    expect(end.text).toBe('1A');
    a.end();
    expect(end.text).toBe('1A2B3.');
  });

  test('keeps order for any order of writes, nested ones too', () => {
    for (let seed = 1; seed <= 300; seed++) {
      let state = seed;
      const random = (n: number) => {
        state = (state * 1103515245 + 12345) & 0x7fffffff;
        return Math.floor((state / 0x7fffffff) * n);
      };
      const { postponer, end } = makePostponer();
      let name = 0;
      // Writers of bodies that are not ended, each with what has to come out of it.
      interface Writer {
        sink: BodySink;
        home: Postponer | null;
        expected: (string | Writer)[];
      }
      const root: Writer = { sink: postponer, home: postponer, expected: [] };
      const writers = [root];
      for (let step = 0; step < 60 && writers.length > 0; step++) {
        const index = random(writers.length);
        const writer = writers[index]!;
        switch (random(4)) {
          case 0: {
            if (writer.home === null) break;
            const part = writer.home.addPart(() => {});
            const home = random(2) === 0 ? null : new Postponer();
            if (home !== null) {
              home.next = part;
              part.source = home;
            }
            const child: Writer = { sink: home ?? part, home, expected: [] };
            writer.expected.push(child);
            writers.push(child);
            break;
          }
          case 1:
            if (random(3) > 0 || (writer === root && step < 50)) break;
            writer.sink.end();
            writers.splice(index, 1);
            break;
          default: {
            const text = `${name++},`;
            writer.sink.write(bytes(text), random(2) === 0);
            writer.expected.push(text);
          }
        }
      }
      for (const { sink } of writers.reverse()) sink.end();
      const whole = (writer: Writer): string =>
        writer.expected.map((one) => (typeof one === 'string' ? one : whole(one))).join('');
      expect(end.text, `seed ${seed}`).toBe(`${whole(root)}.`);
    }
  });

  test('copies what is borrowed and must wait', () => {
    const { postponer, end } = makePostponer();
    const part = postponer.addPart(() => {});
    const borrowed = bytes('x');
    postponer.write(borrowed, true);
    borrowed[0] = 0x79;
    part.end();
    expect(end.text).toBe('x');
  });

  test('stops a part that is ahead of its turn, and lets it go on when it comes', () => {
    const { postponer } = makePostponer();
    const a = postponer.addPart(() => {});
    const b = postponer.addPart(() => {});
    let drained = 0;
    b.source = { onDrain: () => drained++ };
    b.write(Buffer.alloc(65536), false);
    expect(b.isBlocked).toBe(true);
    a.end();
    expect(drained).toBe(1);
    expect(b.isBlocked).toBe(false);
  });

  test('stops the body itself behind a part, and lets it go on', () => {
    const { postponer } = makePostponer();
    let drained = 0;
    postponer.source = { onDrain: () => drained++ };
    const part = postponer.addPart(() => {});
    postponer.write(Buffer.alloc(65536), false);
    expect(postponer.isBlocked).toBe(true);
    part.end();
    expect(drained).toBe(1);
    expect(postponer.isBlocked).toBe(false);
  });

  test('tells whose turn it is when the client has taken what was written', () => {
    const { postponer, end } = makePostponer();
    const drained: string[] = [];
    postponer.source = { onDrain: () => drained.push('body') };
    const part = postponer.addPart(() => {});
    part.source = { onDrain: () => drained.push('part') };
    end.source.onDrain();
    part.end();
    end.source.onDrain();
    expect(drained).toEqual(['part', 'body', 'body']);
  });

  test('adds what is to come last when the body itself is whole', () => {
    const { postponer, end } = makePostponer();
    let last: BodySink | null = null;
    postponer.beforeEnd(() => {
      last = postponer.addPart(() => {});
    });
    postponer.write(bytes('body'), false);
    postponer.end();
    expect(end.text).toBe('body');
    last!.write(bytes('last'), false);
    last!.end();
    expect(end.text).toBe('bodylast.');
  });

  test('passes on a flush once what it was about has been written', () => {
    const { postponer, end } = makePostponer();
    const a = postponer.addPart(() => {});
    const b = postponer.addPart(() => {});
    postponer.write(bytes('1'), false);
    postponer.flush();
    b.write(bytes('b'), false);
    b.flush();
    a.write(bytes('a'), false);
    a.flush();
    expect(end.text).toBe('a|');
    a.end();
    expect(end.text).toBe('a|b|');
    b.end();
    expect(end.text).toBe('a|b|1|');
  });

  test('keeps nothing and says nothing once it is aborted', () => {
    const { postponer, end } = makePostponer();
    const part = postponer.addPart(() => {});
    postponer.write(bytes('1'), false);
    postponer.end();
    postponer.abort();
    part.write(bytes('2'), false);
    part.end();
    expect(end.text).toBe('!');
  });
});
