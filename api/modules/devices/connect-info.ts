import { builder } from '#api/graphql/builder.ts';
import type { Platform } from '#api/platform.ts';

const connectInfoRef = builder.objectRef<Platform['addresses']>('ConnectInfo').implement({
  description: 'What a client needs to connect a device.',
  fields: (t) => ({
    mqttUrl: t.exposeString('mqttUrl', {
      description: 'Where devices connect over MQTT, for example mqtt://host:1883.',
    }),
    mqttsUrl: t.exposeString('mqttsUrl', {
      nullable: true,
      description:
        'Where devices connect over MQTT with TLS, for example mqtts://host:8883; null where that is off.',
    }),
    httpUrl: t.exposeString('httpUrl', { description: 'Where programs reach the platform over HTTP.' }),
  }),
});

builder.queryField('connectInfo', (t) =>
  t.field({
    type: connectInfoRef,
    description: 'What a client needs to connect a device: public MQTT and HTTP addresses.',
    resolve: (_root, _args, { platform }) => platform.addresses,
  }),
);
