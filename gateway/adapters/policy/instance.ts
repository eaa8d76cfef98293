import * as sdk from '@open-policy-agent/opa-wasm';
import { type HostBuiltins, hostBuiltins } from './host-builtins.ts';
import { metered, stepsName } from './meter.ts';
import { PolicyFault } from './policy-fault.ts';

// The package's own types miss its synchronous half (1.10.0), so what is used of it is described here.
interface LoadedModule {
  readonly entrypoints: Readonly<Record<string, number>>;
  readonly mem: WebAssembly.Memory;
  readonly wasmInstance: WebAssembly.Instance;
  setData(data: unknown): void;
  evaluate(input: ArrayBuffer | undefined, entrypoint: string): unknown;
}
type Load = (
  module: WebAssembly.Module,
  memory: { initial: number; maximum: number },
  builtins: HostBuiltins,
) => LoadedModule;
const { loadPolicySync } = (sdk as unknown as { default: { loadPolicySync: Load } }).default;

/** One instantiated policy module with its data. It is asked from one thread, one question at a time. */
export interface Instance {
  readonly entrypoints: readonly string[];
  /** What the entrypoint says. Undefined, and anything but one answer, is a fault. */
  evaluate(input: ArrayBuffer | undefined, entrypoint: string): unknown;
  memoryBytes(): number;
}

const page = 64 * 1024;
const mostPages = 1024;

/**
 * Steps that one question may take: a thousand times what an ordinary one takes, and some 20 ms at most. Reading the input
 * takes up to three a byte.
 */
const stepsFor = (inputBytes: number): number => 1_000_000 + 3 * inputBytes;

/** A policy module that counts its steps, compiled once for any number of instances. */
export interface PolicyModule {
  readonly module: WebAssembly.Module;
  readonly bytes: number;
}

export function createModule(wasm: Uint8Array<ArrayBuffer>): PolicyModule {
  const counting = faultless(() => new WebAssembly.Module(wasm) && metered(wasm), 'module_invalid');
  const module = faultless(() => new WebAssembly.Module(counting), 'module_invalid');
  if (!WebAssembly.Module.exports(module).some(({ name }) => name === 'opa_wasm_abi_version')) {
    throw new PolicyFault('module_invalid', 'this WebAssembly module is not a compiled policy');
  }
  return { module, bytes: counting.byteLength };
}

/** Instantiates a module. What it needs from us must be among the functions that we have; the rest is refused by name. */
export function createInstance({ module, bytes }: PolicyModule, data: unknown, more?: HostBuiltins): Instance {
  // What a module keeps in memory from the start is in its own bytes, so this is always enough.
  const initial = 5 + Math.ceil(bytes / page);
  const functions = hostBuiltins((price) => {
    // In doubles: the global is an i32, and a price above 2^31 taken off in it would wrap around and fill it again.
    const left = steps.value - price;
    steps.value = left >= 0 ? left : -1;
    if (steps.value < 0) throw new PolicyFault('too_long', 'the policy calls for too much work for this input');
  }, more);
  const policy = faultless(() => {
    const loaded = loadPolicySync(module, { initial, maximum: mostPages }, functions);
    const missing = calledFunctions(loaded).filter((name) => !Object.hasOwn(functions, name));
    if (missing.length > 0) throw missingBuiltins(missing);
    loaded.setData(data);
    return loaded;
  }, 'module_invalid');
  const steps = policy.wasmInstance.exports[stepsName] as WebAssembly.Global;
  return {
    entrypoints: Object.keys(policy.entrypoints),
    memoryBytes: () => policy.mem.buffer.byteLength,
    evaluate(input, entrypoint) {
      steps.value = stepsFor(input?.byteLength ?? 0);
      try {
        return single(policy.evaluate(input, entrypoint));
      } catch (cause) {
        if (steps.value >= 0) throw faultOf(cause, 'threw');
        throw new PolicyFault('too_long', 'the policy takes too many steps for this input', { cause });
      }
    },
  };
}

// A module's memory never shrinks: after an unusual question it is replaced rather than kept at its high-water mark.
const spareBytes = 16 * 1024 * 1024;

/** An instance that is made anew when it has grown too large, or was stopped in the middle of something. */
export function createRecycledInstance(module: PolicyModule, data: unknown, more?: HostBuiltins): Instance {
  const instantiate = () => createInstance(module, data, more);
  let instance = instantiate();
  const recycleAbove = instance.memoryBytes() + spareBytes;
  return {
    entrypoints: instance.entrypoints,
    memoryBytes: () => instance.memoryBytes(),
    evaluate(input, entrypoint) {
      let whole = false;
      try {
        const answer = instance.evaluate(input, entrypoint);
        whole = true;
        return answer;
      } catch (cause) {
        // Both leave the module in the middle of what it did: a trap, and what we throw through it.
        const stopped = cause instanceof PolicyFault && cause.reason === 'too_long';
        whole = !stopped && !(cause instanceof Error && cause.cause instanceof WebAssembly.RuntimeError);
        throw cause;
      } finally {
        if (!whole || instance.memoryBytes() > recycleAbove) instance = instantiate();
      }
    },
  };
}

/** opa-wasm and the module throw strings and plain objects too; everything becomes a PolicyFault. */
function faultless<T>(ask: () => T, reason: 'threw' | 'module_invalid'): T {
  try {
    return ask();
  } catch (cause) {
    throw faultOf(cause, reason);
  }
}

function faultOf(cause: unknown, reason: 'threw' | 'module_invalid'): PolicyFault {
  if (cause instanceof PolicyFault) return cause;
  return new PolicyFault(reason, `the policy engine threw: ${messageOf(cause)}`, { cause });
}

function messageOf(cause: unknown): string {
  if (typeof cause === 'string') return cause;
  if (typeof cause === 'object' && cause !== null && 'message' in cause) return String(cause.message);
  return String(cause);
}

function single(answers: unknown): unknown {
  if (!Array.isArray(answers)) throw new PolicyFault('not_single', 'the policy engine returned no list of answers');
  if (answers.length === 0) throw new PolicyFault('undefined', 'the policy is undefined for this input');
  if (answers.length > 1) throw new PolicyFault('not_single', `the policy gave ${answers.length} answers`);
  const answer: unknown = answers[0];
  if (typeof answer !== 'object' || answer === null || !('result' in answer)) {
    throw new PolicyFault('not_single', 'the policy engine returned an answer without a result');
  }
  return answer.result;
}

function missingBuiltins(names: readonly string[]): PolicyFault {
  return new PolicyFault('builtin_missing', `the policy needs functions that are not available: ${names.join(', ')}`);
}

/** The functions the module would call its host for. The compiler refuses what we have not; a bundle is caught here. */
function calledFunctions(policy: LoadedModule): string[] {
  const exported = policy.wasmInstance.exports;
  const address = call(exported, 'opa_json_dump', call(exported, 'builtins'));
  const memory = new Uint8Array(policy.mem.buffer, address);
  const text = new TextDecoder().decode(memory.subarray(0, memory.indexOf(0)));
  return Object.keys(JSON.parse(text) as object).sort();
}

function call(exported: WebAssembly.Exports, name: string, ...args: number[]): number {
  const found = exported[name];
  if (typeof found !== 'function') throw new PolicyFault('module_invalid', `not a policy module: it has no ${name}`);
  return Number(found(...args));
}
