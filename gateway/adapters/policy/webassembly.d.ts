// TypeScript describes WebAssembly in its browser library only; this is the little of it that the policy engine uses.
declare namespace WebAssembly {
  type Exports = Readonly<Record<string, unknown>>;
  class Module {
    static exports(module: Module): readonly { readonly name: string }[];
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }
  class Instance {
    readonly exports: Exports;
    constructor(module: Module, imports?: object);
  }
  class Global {
    value: number;
  }
  class RuntimeError extends Error {}
  class Memory {
    readonly buffer: ArrayBuffer;
  }
}
