import { z } from 'zod';

const MAX_OVERLAP_SECONDS = 34_300_800;

/** For how long what is replaced stays good. 397 days is as long as a certificate can live. */
export const overlapRules = z
  .number()
  .int()
  .min(0, 'must be at least 0')
  .max(MAX_OVERLAP_SECONDS, 'must be at most 34 300 800 (397 days)');
