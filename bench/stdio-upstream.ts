import { createInterface } from 'node:readline';
import { answerTo, type Message, resultOf } from './answers.ts';
import { usualTools } from './message.ts';

/** The same server as `upstream.ts legacy`, on standard input and output: for proxies that can only start one. */
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line) as Message;
  if (message.id !== undefined)
    process.stdout.write(`${answerTo(message.id, resultOf(message, { modern: false, tools: usualTools }))}\n`);
}
