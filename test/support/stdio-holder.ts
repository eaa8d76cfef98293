import { jsonOf, scripted, startUpstream, toolCall } from './stdio-upstreams.ts';

/** A stand-in for the gateway: a process that holds an upstream. `--close` closes it, else it waits to be killed. */
const args = process.argv.slice(2);
const started = startUpstream({
  command: [process.execPath, scripted, ...args.filter((arg) => arg !== '--close')],
  timings: { stop: 300 },
});
process.stdout.write(`${JSON.stringify(jsonOf(await started.upstream.send(toolCall('pids'))))}\n`);
if (args.includes('--close')) await started.close();
