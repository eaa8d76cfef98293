import { StoreFault } from './store-fault.ts';

/** Reads back what this adapter wrote. Text that is no JSON was not written by it: the file is damaged. */
export function storedJson(text: string, path: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StoreFault('corrupt', path, new Error(`${where} cannot be read`));
  }
}
