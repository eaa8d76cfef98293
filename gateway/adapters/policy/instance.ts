import * as sdk from '@open-policy-agent/opa-wasm';
import { PolicyFault } from './policy-fault.ts';

// The package's own types miss its synchronous half (1.10.0), so what is used of it is described here.
interface LoadedModule {
  readonly entrypoints: Readonly<Record<string, number>>;
  readonly mem: WebAssembly.Memory;
  readonly wasmInstance: WebAssembly.Instance;
  setData(data: unknown): void;
  evaluate(input: ArrayBuffer | undefined, entrypoint: string): unknown;
}
type Load = (module: WebAssembly.Module, memory: { initial: number; maximum: number }) => LoadedModule;
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

/** Instantiates a module. It must need nothing from us: whatever calls back into JavaScript is refused by name. */
export function createInstance(module: WebAssembly.Module, wasmBytes: number, data: unknown): Instance {
  // What a module keeps in memory from the start is in its own bytes, so this is always enough.
  const initial = 5 + Math.ceil(wasmBytes / page);
  if (!WebAssembly.Module.exports(module).some(({ name }) => name === 'opa_wasm_abi_version')) {
    throw new PolicyFault('module_invalid', 'this WebAssembly module is not a compiled policy');
  }
  const policy = faultless(() => {
    const loaded = loadPolicySync(module, { initial, maximum: mostPages });
    const missing = hostBuiltins(loaded);
    if (missing.length > 0) throw missingBuiltins(missing);
    loaded.setData(data);
    return loaded;
  }, 'module_invalid');
  return {
    entrypoints: Object.keys(policy.entrypoints),
    evaluate: (input, entrypoint) => single(faultless(() => policy.evaluate(input, entrypoint), 'threw')),
    memoryBytes: () => policy.mem.buffer.byteLength,
  };
}

// A module's memory never shrinks: after an unusual question it is replaced rather than kept at its high-water mark.
const spareBytes = 16 * 1024 * 1024;

/** An instance that is made anew when it has grown too large. */
export function createRecycledInstance(module: WebAssembly.Module, wasmBytes: number, data: unknown): Instance {
  const instantiate = () => createInstance(module, wasmBytes, data);
  let instance = instantiate();
  const recycleAbove = instance.memoryBytes() + spareBytes;
  return {
    entrypoints: instance.entrypoints,
    memoryBytes: () => instance.memoryBytes(),
    evaluate(input, entrypoint) {
      try {
        return instance.evaluate(input, entrypoint);
      } finally {
        if (instance.memoryBytes() > recycleAbove) instance = instantiate();
      }
    },
  };
}

/** opa-wasm and the module throw strings and plain objects too; everything becomes a PolicyFault. */
function faultless<T>(ask: () => T, reason: 'threw' | 'module_invalid'): T {
  try {
    return ask();
  } catch (cause) {
    if (cause instanceof PolicyFault) throw cause;
    throw new PolicyFault(reason, `the policy engine threw: ${messageOf(cause)}`, { cause });
  }
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

/** The functions the module would call its host for. The compiler refuses them; a ready-made bundle is caught here. */
function hostBuiltins(policy: LoadedModule): string[] {
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
