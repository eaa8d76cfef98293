/** A run token, and until when it is good, in epoch milliseconds. */
export interface Pass {
  readonly token: string;
  readonly expires: number;
}

/** Why there is no answer from the gateway: for the person who reads the host's log. */
export interface Trouble {
  readonly trouble: 'gateway_unreachable' | 'gateway_lost' | 'token_missing';
  readonly detail: string;
}

export const isTrouble = (value: unknown): value is Trouble =>
  typeof value === 'object' && value !== null && 'trouble' in value;

export interface Passes {
  get(): Promise<Pass | Trouble>;
  /** The gateway took this one no more, whatever its expiry says. */
  reject(pass: Pass): void;
}

/** Keeps one token and renews it, always for the same run, when half of its time is over. */
export function createPasses(mint: () => Promise<Pass | Trouble>, now: () => number): Passes {
  let current: Pass | null = null;
  let renewAt = 0;
  let minting: Promise<Pass | Trouble> | null = null;

  async function renew(): Promise<Pass | Trouble> {
    const begun = now();
    const made = await mint();
    if (isTrouble(made)) {
      // Half of its time is left: the gateway may be back before it is over.
      return current && now() < current.expires ? current : made;
    }
    current = made;
    renewAt = begun + (made.expires - begun) / 2;
    return made;
  }

  return {
    async get() {
      if (current && now() < renewAt) return current;
      minting ??= renew().finally(() => {
        minting = null;
      });
      return minting;
    },
    reject(pass) {
      if (current?.token === pass.token) current = null;
    },
  };
}
