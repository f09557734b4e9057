import { lazy } from 'react';
import { BrowserRouter, Navigate, Route, Routes } from 'react-router';
import { DeviceList } from './features/devices/device-list.tsx';
import { NotFound } from './shell/not-found.tsx';
import { Shell } from './shell/shell.tsx';

const DevicePage = lazy(() =>
  import('./features/devices/device-page.tsx').then((m) => ({ default: m.DevicePage })),
);
const DeviceLive = lazy(() =>
  import('./features/devices/device-live.tsx').then((m) => ({ default: m.DeviceLive })),
);
const DeviceReadings = lazy(() =>
  import('./features/devices/device-readings.tsx').then((m) => ({ default: m.DeviceReadings })),
);
const DeviceCredentials = lazy(() =>
  import('./features/devices/device-credentials.tsx').then((m) => ({ default: m.DeviceCredentials })),
);
const DeviceDetails = lazy(() =>
  import('./features/devices/device-details.tsx').then((m) => ({ default: m.DeviceDetails })),
);
const DeviceParts = lazy(() =>
  import('./features/parts/device-parts.tsx').then((m) => ({ default: m.DeviceParts })),
);
const DeviceShadow = lazy(() =>
  import('./features/shadow/device-shadow.tsx').then((m) => ({ default: m.DeviceShadow })),
);
const DeviceCommands = lazy(() =>
  import('./features/commands/device-commands.tsx').then((m) => ({ default: m.DeviceCommands })),
);
const DeviceTimeline = lazy(() =>
  import('./features/timeline/device-timeline.tsx').then((m) => ({ default: m.DeviceTimeline })),
);
const Groups = lazy(() => import('./features/groups/groups.tsx').then((m) => ({ default: m.Groups })));
const GroupPage = lazy(() =>
  import('./features/groups/group-page.tsx').then((m) => ({ default: m.GroupPage })),
);
const ImportDevices = lazy(() =>
  import('./features/devices/import-devices.tsx').then((m) => ({ default: m.ImportDevices })),
);
const Sites = lazy(() => import('./features/sites/sites.tsx').then((m) => ({ default: m.Sites })));
const Templates = lazy(() =>
  import('./features/templates/templates.tsx').then((m) => ({ default: m.Templates })),
);
const TemplatePage = lazy(() =>
  import('./features/templates/template-page.tsx').then((m) => ({ default: m.TemplatePage })),
);
const TemplateDefinition = lazy(() =>
  import('./features/templates/template-definition.tsx').then((m) => ({ default: m.TemplateDefinition })),
);
const TemplateVersions = lazy(() =>
  import('./features/templates/template-versions.tsx').then((m) => ({ default: m.TemplateVersions })),
);
const TemplateMigration = lazy(() =>
  import('./features/templates/template-migration.tsx').then((m) => ({ default: m.TemplateMigration })),
);
const NewTemplate = lazy(() =>
  import('./features/templates/template-editor.tsx').then((m) => ({ default: m.NewTemplate })),
);
const EditTemplate = lazy(() =>
  import('./features/templates/template-editor.tsx').then((m) => ({ default: m.EditTemplate })),
);
const MapPage = lazy(() => import('./features/map/map-page.tsx').then((m) => ({ default: m.MapPage })));
const NewDevice = lazy(() =>
  import('./features/devices/new-device.tsx').then((m) => ({ default: m.NewDevice })),
);

const Quarantine = lazy(() =>
  import('./features/messages/quarantine.tsx').then((m) => ({ default: m.Quarantine })),
);
const MessagePage = lazy(() =>
  import('./features/messages/message-page.tsx').then((m) => ({ default: m.MessagePage })),
);
const Conservation = lazy(() =>
  import('./features/messages/conservation.tsx').then((m) => ({ default: m.Conservation })),
);
const ApiKeys = lazy(() => import('./features/settings/api-keys.tsx').then((m) => ({ default: m.ApiKeys })));
const Members = lazy(() => import('./features/settings/members.tsx').then((m) => ({ default: m.Members })));
const Certificates = lazy(() =>
  import('./features/settings/certificates.tsx').then((m) => ({ default: m.Certificates })),
);
const AuditLog = lazy(() =>
  import('./features/settings/audit-log.tsx').then((m) => ({ default: m.AuditLog })),
);
const Usage = lazy(() => import('./features/settings/usage.tsx').then((m) => ({ default: m.Usage })));

const OperatorArea = lazy(() =>
  import('./features/operator/operator-area.tsx').then((m) => ({ default: m.OperatorArea })),
);
const Tenants = lazy(() => import('./features/operator/tenants.tsx').then((m) => ({ default: m.Tenants })));
const OperatedDevices = lazy(() =>
  import('./features/operator/devices.tsx').then((m) => ({ default: m.OperatedDevices })),
);
const StreamsPage = lazy(() =>
  import('./features/operator/streams.tsx').then((m) => ({ default: m.StreamsPage })),
);
const PlatformLog = lazy(() =>
  import('./features/operator/platform-log.tsx').then((m) => ({ default: m.PlatformLog })),
);

/** Every address of the console. The list comes with the first load; the rest when it is visited. */
export function App() {
  return (
    <BrowserRouter>
      <Routes>
        <Route element={<Shell />}>
          <Route index element={<Navigate to="/devices" replace />} />
          <Route path="devices" element={<DeviceList />} />
          <Route path="devices/:key" element={<DevicePage />}>
            <Route index element={<DeviceLive />} />
            <Route path="readings" element={<DeviceReadings />} />
            <Route path="parts" element={<DeviceParts />} />
            <Route path="shadow" element={<DeviceShadow />} />
            <Route path="commands" element={<DeviceCommands />} />
            <Route path="timeline" element={<DeviceTimeline />} />
            <Route path="credentials" element={<DeviceCredentials />} />
            <Route path="details" element={<DeviceDetails />} />
          </Route>
          <Route path="templates" element={<Templates />} />
          <Route path="templates/:key" element={<TemplatePage />}>
            <Route index element={<TemplateDefinition />} />
            <Route path="versions" element={<TemplateVersions />} />
            <Route path="migration" element={<TemplateMigration />} />
          </Route>
          <Route path="templates/:key/edit" element={<EditTemplate />} />
          <Route path="new-template" element={<NewTemplate />} />
          <Route path="sites" element={<Sites />} />
          <Route path="groups" element={<Groups />} />
          <Route path="groups/:key" element={<GroupPage />} />
          <Route path="map" element={<MapPage />} />
          <Route path="new-device" element={<NewDevice />} />
          <Route path="settings/members" element={<Members />} />
          <Route path="ingest" element={<Conservation />} />
          <Route path="quarantine" element={<Quarantine />} />
          <Route path="messages" element={<MessagePage />} />
          <Route path="import-devices" element={<ImportDevices />} />
          <Route path="settings/certificates" element={<Certificates />} />
          <Route path="settings/api-keys" element={<ApiKeys />} />
          <Route path="settings/audit" element={<AuditLog />} />
          <Route path="settings/usage" element={<Usage />} />
          <Route path="operator" element={<OperatorArea />}>
            <Route index element={<Navigate to="/operator/tenants" replace />} />
            <Route path="tenants" element={<Tenants />} />
            <Route path="devices" element={<OperatedDevices />} />
            <Route path="streams" element={<StreamsPage />} />
            <Route path="audit" element={<PlatformLog />} />
          </Route>
          <Route path="*" element={<NotFound />} />
        </Route>
      </Routes>
    </BrowserRouter>
  );
}
