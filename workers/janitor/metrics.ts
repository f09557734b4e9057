import type { Metrics } from '#core/runtime/metrics.ts';

export type JanitorMetrics = ReturnType<typeof declareMetrics>;

export function declareMetrics(metrics: Metrics) {
  return {
    dropped: metrics.counter('partitions_dropped_total', 'Partitions that had expired as a whole'),
    purged: metrics.counter('tenant_rows_purged_total', 'Rows deleted of tenants whose deletion is due'),
    warnings: metrics.counter(
      'certificate_warnings_total',
      'Warnings that a certificate ends, each once for a certificate and number of days before it',
      ['days'],
    ),
    ending: metrics.gauge(
      'certificates_ending',
      'Good certificates, not renewed, that end within so many days. Above 0 at 7: devices will be locked out.',
      ['days'],
    ),
    retired: metrics.counter(
      'certificates_retired_total',
      'Certificates that were renewed or whose authority was replaced, and whose overlap is over',
    ),
    deleted: metrics.counter('readings_deleted_total', 'Readings older than their own tenant keeps them'),
    folded: metrics.counter('frames_folded_total', 'Frames added to the sums of their tenants and days'),
    readings: metrics.gauge(
      'readings',
      'What became of readings, from committed frames: accepted = stored + duplicate + quarantined + dead_lettered',
      ['tenant', 'outcome'],
    ),
    difference: metrics.gauge(
      'readings_difference',
      'Accepted readings that have no outcome; anything but 0 is a fault of ours: npm run conserve says more',
      ['tenant'],
    ),
    jobDevices: metrics.counter(
      'job_devices_total',
      'Devices that jobs went through. Many `failed`: look at the errors of the jobs.',
      ['kind', 'outcome'],
    ),
    expiredCommands: metrics.counter(
      'commands_expired_total',
      'Commands whose time was over before their devices said what came of them; rising means that devices are away or do not answer',
    ),
    openCommands: metrics.gauge(
      'commands_open',
      'Commands that are not finished, by state; QUEUED counts those whose devices are away',
      ['status'],
    ),
    quarantineRows: metrics.counter(
      'quarantine_rows_total',
      'Quarantined messages that were handed to the pipeline again or discarded, as somebody asked',
    ),
  };
}
