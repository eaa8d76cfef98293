import { text } from 'node:stream/consumers';
import { type CompiledTests, runTests } from './test-runner.ts';

// Runs in a child process of its own: `node run-tests.ts < tests.json > results.json`. Hundreds of tests take longer than a
// gateway may stand still.
process.stdout.write(JSON.stringify(runTests(JSON.parse(await text(process.stdin)) as CompiledTests)));
