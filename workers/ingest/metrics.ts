import { LATENCY_SECONDS, type Metrics } from '#core/runtime/metrics.ts';

export type IngestMetrics = ReturnType<typeof declareMetrics>;

export function declareMetrics(metrics: Metrics) {
  return {
    frames: metrics.counter(
      'frames_total',
      'Frames by fate; a rising retry means that a neighbour is failing',
      ['fate'],
    ),
    readings: metrics.counter(
      'readings_total',
      'Readings by outcome: stored, duplicate (harmless), quarantined',
      ['outcome'],
    ),
    quarantined: metrics.counter(
      'quarantined_total',
      'Messages turned away, by reason; a rise follows a bad device release',
      ['reason'],
    ),
    storeSeconds: metrics.histogram(
      'store_seconds',
      'Time to commit one batch; rising means the database is the limit',
      LATENCY_SECONDS,
    ),
    batchFrames: metrics.histogram(
      'batch_frames',
      'Frames in one transaction; rising means falling behind',
      [1, 2, 5, 10, 20, 50, 100, 200],
    ),
    lateSeconds: metrics.histogram('stored_latency_seconds', 'From the edge to the commit', LATENCY_SECONDS),
    sequenceGaps: metrics.counter(
      'sequence_gaps_total',
      'Gaps in the numbers of devices: opened after ten seconds, healed by late messages; opened without healed is loss',
      ['change'],
    ),
    sequenceMessages: metrics.counter(
      'sequence_messages_total',
      'Numbered messages that were missing when a gap opened, came again (duplicate), or after a higher number (out_of_order)',
      ['what'],
    ),
    discovered: metrics.counter(
      'sensors_discovered_total',
      'Sensors made of metrics that nobody had modelled; a steady rise is a device that invents names',
    ),
    reports: metrics.counter(
      'shadow_reports_total',
      'Reports of devices by what they did: applied, unchanged (says what is known), late (a newer one was there), gone (no such device any more)',
      ['outcome'],
    ),
    commandChanges: metrics.counter(
      'command_changes_total',
      'Commands that devices or gateways took further, by the state they reached; a rising FAILED or REJECTED follows a bad release',
      ['status'],
    ),
    commandAnswerSeconds: metrics.histogram(
      'command_answer_seconds',
      'From sending a command off to the first answer of its device; rising means that devices are away or slow',
      [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3_600, 86_400],
    ),
    latestFolds: metrics.counter('latest_writes_total', 'Rows written to device_latest'),
  };
}
