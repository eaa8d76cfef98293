import type { CallRecord } from '#gateway/core/call.ts';
import { outcomes } from '#gateway/core/call-end.ts';
import { unknownValue } from '#gateway/core/metric-names.ts';
import { oneLine } from '#gateway/core/one-line.ts';
import type { Target } from '#gateway/core/snapshot.ts';
import type { Cell } from './families.ts';
import { methodLabel } from './operation.ts';

/** Labels of one kind of call: all from the snapshot's catalogue or a closed set, whatever the caller wrote. */
interface SlotLabels {
  readonly method: string;
  readonly server: string;
  readonly tool: string;
  readonly category: string;
}

/** The cells of one kind of call, looked up once and then kept. */
export interface Slot extends SlotLabels {
  /** By `error_type`, a closed set. */
  readonly durations: Map<string, Cell>;
  readonly upstream: Map<string, Cell>;
  /** By index into `outcomes`. */
  readonly calls: (Cell | null)[];
  readonly requestBytes: Cell;
  readonly responseBytes: Cell;
}

type Sizes = Pick<Slot, 'requestBytes' | 'responseBytes'>;

export interface Slots {
  of(record: CallRecord): Slot;
  /** To be said after cells were let go: a slot must not go on counting in a cell that nobody publishes. */
  reset(): void;
}

/** Finds the slot of a call: by target (a new snapshot has new ones), or by method when it never had one. */
export function createSlots(sizes: (server: string) => Sizes): Slots {
  let byTarget = new WeakMap<Target, Slot>();
  const byMethod = new Map<string, Slot>();
  const make = (record: CallRecord): Slot => {
    const labels = slotLabels(record);
    const calls = outcomes.map(() => null);
    return { ...labels, ...sizes(labels.server), durations: new Map(), upstream: new Map(), calls };
  };
  const of = (record: CallRecord): Slot => {
    const { target } = record;
    if (target) {
      const known = byTarget.get(target);
      if (known?.method === record.method) return known;
      const slot = make(record);
      byTarget.set(target, slot);
      return slot;
    }
    // Both parts are from closed sets, so this map is bounded by methods × servers.
    const key = `${methodLabel(record.method)} ${serverOf(record)}`;
    const slot = byMethod.get(key) ?? make(record);
    byMethod.set(key, slot);
    return slot;
  };
  const reset = (): void => {
    byTarget = new WeakMap();
    byMethod.clear();
  };
  return { of, reset };
}

function slotLabels(record: CallRecord): SlotLabels {
  const { target } = record;
  const method = methodLabel(record.method);
  const callsTool = method === 'tools/call';
  if (!target) {
    const nothing = callsTool ? unknownValue : '';
    return { method, server: serverOf(record) || nothing, tool: nothing, category: nothing };
  }
  const tool = callsTool && target.kind === 'tool' ? oneLine(target.name, 128) : '';
  return { method, server: target.server.id, tool, category: tool === '' ? '' : (target.action ?? unknownValue) };
}

/** The one server that a view is about, by its id in the config: the view's own name may be what a caller wrote. */
const serverOf = ({ view }: CallRecord): string => {
  const [only, ...others] = view.servers;
  return only && others.length === 0 ? only.id : '';
};
