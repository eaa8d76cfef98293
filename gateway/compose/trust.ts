import { join } from 'node:path';
import { hashing } from '#gateway/adapters/keys/hashing.ts';
import { loadOrCreateKey } from '#gateway/adapters/keys/keys.ts';
import { createApprovalRecords } from '#gateway/adapters/manifests/approvals.ts';
import { digestOfManifest } from '#gateway/adapters/manifests/verify.ts';
import type { Store } from '#gateway/adapters/sqlite/open.ts';
import type { Config } from '#gateway/core/config.ts';
import type { LookParts } from '#gateway/look.ts';
import { verifyManifestFile } from '#gateway/manifest-files.ts';
import type { SeenManifests } from '#gateway/ports/trust.ts';
import { createSignedPins } from '#gateway/signed-pins.ts';

/** What is believed of servers: manifests that their publishers signed, and approvals that this gateway did. */
export async function openTrust({ state }: Config, store: Store): Promise<Pick<LookParts, 'manifest' | 'pins'>> {
  const records = createApprovalRecords(await loadOrCreateKey(join(state, 'keys', 'approvals.jwk')));
  return {
    manifest: manifestsOf(store.manifests),
    pins: createSignedPins({ pins: store.pins, records, sha256: hashing.sha256 }),
  };
}

/** Reads the manifest that the config names for a server. What was believed once is the least that is believed later. */
const manifestsOf =
  (seen: SeenManifests): LookParts['manifest'] =>
  async (server, { url = null, manifest: { file, keys = '' } }) => {
    if (file === undefined) return null;
    const signed = await verifyManifestFile({ server, url, file, keys, seen: seen.find(server) });
    if (signed.status === 'verified') {
      seen.raise(server, { seq: signed.manifest.seq, digest: digestOfManifest(signed.manifest) });
    }
    return signed;
  };
