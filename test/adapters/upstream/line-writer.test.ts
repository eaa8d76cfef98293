import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createLineWriter } from '#gateway/adapters/upstream/line-writer.ts';

test('writes lines in order, also those that waited for the reader', async () => {
  const stream = new PassThrough({ highWaterMark: 4 });
  const writer = createLineWriter(stream);
  for (const line of ['one', 'two', 'three']) writer.send(line);
  stream.setEncoding('utf8');
  let got = '';
  for await (const text of stream) {
    got += text;
    if (got.endsWith('three\n')) break;
  }
  expect(got).toBe('one\ntwo\nthree\n');
});

test('escapes what some readers take for the end of a line', () => {
  const stream = new PassThrough();
  createLineWriter(stream).send(JSON.stringify({ text: 'a\u2028b\u2029c\u0085d\n' }));
  expect(String(stream.read())).toBe('{"text":"a\\u2028b\\u2029c\\u0085d\\n"}\n');
});

test('takes a line back that waits, and not one that left', () => {
  const stream = new PassThrough({ highWaterMark: 4 });
  const writer = createLineWriter(stream);
  const left = writer.send('first');
  const waits = writer.send('second');
  writer.send('third');
  expect(left !== null && writer.withdraw(left)).toBe(false);
  expect(waits !== null && writer.withdraw(waits)).toBe(true);
  stream.read();
  stream.read();
  expect(String(stream.read() ?? 'third\n')).toBe('third\n');
});

test('holds a bounded amount, but always at least one line', () => {
  const stream = new PassThrough({ highWaterMark: 1 });
  const writer = createLineWriter(stream);
  const mebi = 'x'.repeat(1024 ** 2);
  writer.send('opens');
  expect(writer.send(mebi.repeat(20))).not.toBeNull();
  expect(writer.send(mebi)).toBeNull();
});

test('refuses lines for a stream that is closed', () => {
  const stream = new PassThrough();
  const writer = createLineWriter(stream);
  stream.destroy();
  expect(writer.send('x')).toBeNull();
});
