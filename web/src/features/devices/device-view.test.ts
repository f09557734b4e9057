import { describe, expect, it } from 'vitest';
import {
  type DeviceView,
  deviceViewCodec,
  emptyView,
  isFiltered,
  toDeviceFilter,
  toDeviceOrder,
} from './device-view.ts';

const parse = (query: string) => deviceViewCodec.parse(new URLSearchParams(query));
const format = (view: DeviceView) => deviceViewCodec.format(view).toString();

describe('the device list in the URL', () => {
  it('is empty for the plain list', () => {
    expect(format(emptyView)).toBe('');
    expect(parse('')).toEqual(emptyView);
  });

  it('reads back what it wrote', () => {
    const view: DeviceView = {
      search: 'pump & valve',
      connections: ['OFFLINE', 'UNKNOWN'],
      freshness: ['STALE'],
      statuses: ['DISABLED'],
      sites: ['harbour', 'north'],
      groups: ['pilots'],
      templates: ['boiler', 'gateway'],
      tags: ['floor-2'],
      sort: { field: 'LAST_SEEN_AT', direction: 'DESC' },
    };
    expect(parse(format(view))).toEqual(view);
  });

  it('writes equal views as equal links, whatever order they were chosen in', () => {
    const one = format({ ...emptyView, connections: ['UNKNOWN', 'ONLINE'], sites: ['b', 'a'] });
    const other = format({ ...emptyView, connections: ['ONLINE', 'UNKNOWN'], sites: ['a', 'b'] });
    expect(one).toBe(other);
  });

  it('leaves out what it does not understand', () => {
    expect(parse('connection=sideways,offline&sort=-colour&status=&page=7')).toEqual({
      ...emptyView,
      connections: ['OFFLINE'],
    });
  });

  it('accepts repeated keys as well as commas', () => {
    expect(parse('tag=a&tag=b,c&tag=a').tags).toEqual(['a', 'b', 'c']);
  });
});

describe('the filter of a view', () => {
  it('shows what is in service unless a status was chosen', () => {
    expect(toDeviceFilter(emptyView)).toEqual({ statuses: ['ACTIVE', 'DISABLED'] });
    expect(toDeviceFilter(parse('status=decommissioned'))).toEqual({ statuses: ['DECOMMISSIONED'] });
  });

  it('carries every choice and the order', () => {
    const view = parse(
      'q=boiler&connection=online&freshness=fresh&site=north&group=pilots&template=pump&tag=a,b&sort=-seen',
    );
    expect(toDeviceFilter(view)).toEqual({
      statuses: ['ACTIVE', 'DISABLED'],
      search: 'boiler',
      connections: ['ONLINE'],
      freshness: ['FRESH'],
      siteKeys: ['north'],
      groupKeys: ['pilots'],
      templateKeys: ['pump'],
      tagsAll: ['a', 'b'],
    });
    expect(toDeviceOrder(view)).toEqual({ field: 'LAST_SEEN_AT', direction: 'DESC' });
  });

  it('does not count sorting as narrowing', () => {
    expect(isFiltered(parse('sort=-seen'))).toBe(false);
    expect(isFiltered(parse('tag=a'))).toBe(true);
  });
});
