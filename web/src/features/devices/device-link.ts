/** The console's address of a device. Keys may contain `.` and `:`. */
export function devicePath(key: string, tab?: 'readings' | 'details'): string {
  return `/devices/${encodeURIComponent(key)}${tab ? `/${tab}` : ''}`;
}
