export type DeviceTab = 'readings' | 'parts' | 'shadow' | 'commands' | 'timeline' | 'credentials' | 'details';

/** The console's address of a device. Keys may contain `.` and `:`. */
export function devicePath(key: string, tab?: DeviceTab): string {
  return `/devices/${encodeURIComponent(key)}${tab ? `/${tab}` : ''}`;
}
