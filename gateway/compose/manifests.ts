import { digestOfManifest } from '#gateway/adapters/manifests/verify.ts';
import type { LookParts } from '#gateway/look.ts';
import { verifyManifestFile } from '#gateway/manifest-files.ts';
import type { SeenManifests } from '#gateway/ports.ts';

/** Reads the manifest that the config names for a server. What was believed once is the least that is believed later. */
export const manifestsOf =
  (seen: SeenManifests): LookParts['manifest'] =>
  async (server, { url = null, manifest: { file, keys = '' } }) => {
    if (file === undefined) return null;
    const signed = await verifyManifestFile({ server, url, file, keys, seen: seen.find(server) });
    if (signed.status === 'verified') {
      seen.raise(server, { seq: signed.manifest.seq, digest: digestOfManifest(signed.manifest) });
    }
    return signed;
  };
