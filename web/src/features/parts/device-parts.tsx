import { useEffect } from 'react';
import { useQuery } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { useDevice } from '../devices/device-detail.ts';
import { FamilyPanel } from './family-panel.tsx';
import { MetricMapPanel } from './metric-map-panel.tsx';
import { ModulesPanel } from './modules-panel.tsx';
import { devicePartsDocument } from './parts-documents.ts';
import { SensorsPanel } from './sensors-panel.tsx';
import { TransportsPanel } from './transports-panel.tsx';

/** What is found in the data becomes a sensor soon after its first reading. */
const discoveryMs = [1_500, 6_000, 15_000];

/** What the device is made of and what is measured at it. */
export function DeviceParts() {
  const { key, status, latest } = useDevice();
  const { viewer } = useAccount();
  const [{ data, error }, refetch] = useQuery({
    query: devicePartsDocument,
    variables: { key },
    requestPolicy: 'cache-and-network',
  });
  const device = data?.device;
  const unknown = device
    ? latest
        .map(({ metric }) => metric)
        .filter((metric) => !device.sensors.some((sensor) => sensor.metric === metric))
        .sort()
        .join()
    : '';
  useEffect(() => {
    if (unknown === '') return;
    const timers = discoveryMs.map((ms) => setTimeout(() => refetch({ requestPolicy: 'network-only' }), ms));
    return () => timers.forEach(clearTimeout);
  }, [unknown, refetch]);
  if (!device) {
    if (error) return <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />;
    return <Skeleton className="m-5 h-64 rounded-lg" />;
  }
  const mayWrite = mayWriteDevices(viewer.role) && status !== 'DECOMMISSIONED';
  return (
    <div className="grid gap-4 p-4 sm:p-5 xl:grid-cols-[minmax(0,1fr)_24rem] xl:items-start">
      <div className="flex min-w-0 flex-col gap-4">
        <ModulesPanel device={device} mayWrite={mayWrite} />
        <SensorsPanel device={device} mayWrite={mayWrite} />
      </div>
      <div className="flex min-w-0 flex-col gap-4">
        <FamilyPanel device={device} mayWrite={mayWrite} />
        <MetricMapPanel device={device} mayWrite={mayWrite} />
        <TransportsPanel device={device} mayWrite={mayWrite} />
      </div>
    </div>
  );
}
