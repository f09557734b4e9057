-- The templates that come with the platform. Without a tenant: everybody's to see, operators' to change.

set role fleetgraph_owner;

-- Who is in no tenant sees none of them either.
alter policy visible on device_templates
  using (tenant_id = current_tenant() or (tenant_id is null and current_tenant() is not null));
alter policy visible on template_versions
  using (tenant_id = current_tenant() or (tenant_id is null and current_tenant() is not null));

insert into device_templates (key, name, category, description) values
  ('gateway', 'Gateway', 'GATEWAY', 'Speaks for sensors and modules that have no network of their own.'),
  ('temperature-probe', 'Temperature probe', 'SENSOR', 'One temperature, by itself or in a slot.'),
  ('humidity-sensor', 'Humidity sensor', 'SENSOR', 'Relative humidity of the air and its temperature.'),
  ('gps-tracker', 'GPS tracker', 'EDGE_DEVICE', 'Where something is and how it moves; the place itself is the `lat` and `lng` of each reading.'),
  ('dc-power-meter', 'DC traction power meter', 'EDGE_DEVICE', 'Measures a direct-current supply of 600, 750, 1 500 or 3 000 V. Up to 3 900 V, the highest that EN 50163 allows for five minutes; current and power are negative while energy is fed back.'),
  ('ac-power-meter', 'AC traction power meter', 'EDGE_DEVICE', 'Measures an alternating-current supply of 15 kV at 16.7 Hz or 25 kV at 50 Hz (60 Hz too). Up to 29 kV, the highest that EN 50163 allows for five minutes; power is negative while energy is fed back.'),
  ('generic', 'Generic device', 'EDGE_DEVICE', 'Takes whatever a device sends and makes a sensor of every metric it finds.');

insert into template_versions (template_id, version, created_by, definition)
select id, version, 'platform', $definition$
{
  "metrics": [
    {"key":"cpu_load","name":"Processor load","type":"FLOAT","unit":"%","min":0,"max":100,"precision":1,"required":false,"values":[]},
    {"key":"memory_used","name":"Memory in use","type":"FLOAT","unit":"%","min":0,"max":100,"precision":1,"required":false,"values":[]},
    {"key":"disk_used","name":"Storage in use","type":"FLOAT","unit":"%","min":0,"max":100,"precision":1,"required":false,"values":[]},
    {"key":"temperature","name":"Temperature inside","type":"FLOAT","unit":"Cel","min":-40,"max":105,"precision":1,"required":false,"values":[]},
    {"key":"signal_strength","name":"Signal strength","type":"INTEGER","unit":"dBm","min":-140,"max":0,"precision":null,"required":false,"values":[]},
    {"key":"uptime","name":"Time since start","type":"INTEGER","unit":"s","min":0,"max":null,"precision":null,"required":true,"values":[]}
  ],
  "commands": [
    {"key":"reboot","name":"Reboot","description":"Restarts the device after a delay in seconds; at once without one.","params":{"type":"object","properties":{"delay_seconds":{"type":"integer","minimum":0,"maximum":3600}},"additionalProperties":false},"response":null},
    {"key":"set_report_interval","name":"Set report interval","description":"Sends a message every so many seconds from now on.","params":{"type":"object","properties":{"seconds":{"type":"integer","minimum":1,"maximum":86400}},"required":["seconds"],"additionalProperties":false},"response":{"type":"object","properties":{"seconds":{"type":"integer"}}}},
    {"key":"collect_logs","name":"Collect logs","description":"Gathers the logs of the last hours and says where they are.","params":{"type":"object","properties":{"hours":{"type":"integer","minimum":1,"maximum":168},"level":{"enum":["error","warn","info","debug"]}},"required":["hours"],"additionalProperties":false},"response":{"type":"object","properties":{"location":{"type":"string","maxLength":2048}},"required":["location"]}}
  ],
  "slots": [
    {"key":"expansion-1","name":"Expansion port 1","type":"EXPANSION_PORT","interface":"USB","maxDevices":1,"compatibleTemplates":[],"required":false},
    {"key":"fieldbus","name":"Field bus","type":"BUS","interface":"MODBUS_RTU","maxDevices":32,"compatibleTemplates":[],"required":false},
    {"key":"one-wire","name":"1-Wire bus","type":"BUS","interface":"ONE_WIRE","maxDevices":16,"compatibleTemplates":["temperature-probe"],"required":false},
    {"key":"analog-1","name":"Analog input 1","type":"SENSOR_PORT","interface":"ANALOG","maxDevices":1,"compatibleTemplates":["temperature-probe","humidity-sensor"],"required":false}
  ],
  "transports": [
    {"protocol":"MQTT","link":"ETHERNET","settings":{}},
    {"protocol":"MQTT","link":"CELLULAR","settings":{}}
  ],
  "unknownMetrics": "ACCEPT",
  "invalidValues": "FLAG",
  "discoverSensors": true,
  "expectedIntervalSeconds": 60
}
$definition$ from device_templates where tenant_id is null and key = 'gateway';

insert into template_versions (template_id, version, created_by, definition)
select id, version, 'platform', $definition$
{
  "metrics": [
    {"key":"temperature","name":"Temperature","type":"FLOAT","unit":"Cel","min":-200,"max":850,"precision":2,"required":true,"values":[]},
    {"key":"battery","name":"Battery charge","type":"FLOAT","unit":"%","min":0,"max":100,"precision":0,"required":false,"values":[]},
    {"key":"signal_strength","name":"Signal strength","type":"INTEGER","unit":"dBm","min":-140,"max":0,"precision":null,"required":false,"values":[]}
  ],
  "commands": [
    {"key":"set_report_interval","name":"Set report interval","description":"Sends a message every so many seconds from now on.","params":{"type":"object","properties":{"seconds":{"type":"integer","minimum":1,"maximum":86400}},"required":["seconds"],"additionalProperties":false},"response":{"type":"object","properties":{"seconds":{"type":"integer"}}}}
  ],
  "slots": [],
  "transports": [
    {"protocol":"MQTT","link":"WIFI","settings":{}},
    {"protocol":"LORAWAN","link":"LORA","settings":{}}
  ],
  "unknownMetrics": "ACCEPT",
  "invalidValues": "FLAG",
  "discoverSensors": true,
  "expectedIntervalSeconds": 300
}
$definition$ from device_templates where tenant_id is null and key = 'temperature-probe';

insert into template_versions (template_id, version, created_by, definition)
select id, version, 'platform', $definition$
{
  "metrics": [
    {"key":"humidity","name":"Relative humidity","type":"FLOAT","unit":"%","min":0,"max":100,"precision":1,"required":true,"values":[]},
    {"key":"temperature","name":"Temperature","type":"FLOAT","unit":"Cel","min":-40,"max":125,"precision":2,"required":false,"values":[]},
    {"key":"dew_point","name":"Dew point","type":"FLOAT","unit":"Cel","min":-80,"max":100,"precision":2,"required":false,"values":[]},
    {"key":"battery","name":"Battery charge","type":"FLOAT","unit":"%","min":0,"max":100,"precision":0,"required":false,"values":[]},
    {"key":"signal_strength","name":"Signal strength","type":"INTEGER","unit":"dBm","min":-140,"max":0,"precision":null,"required":false,"values":[]}
  ],
  "commands": [
    {"key":"set_report_interval","name":"Set report interval","description":"Sends a message every so many seconds from now on.","params":{"type":"object","properties":{"seconds":{"type":"integer","minimum":1,"maximum":86400}},"required":["seconds"],"additionalProperties":false},"response":{"type":"object","properties":{"seconds":{"type":"integer"}}}}
  ],
  "slots": [],
  "transports": [
    {"protocol":"MQTT","link":"WIFI","settings":{}},
    {"protocol":"LORAWAN","link":"LORA","settings":{}}
  ],
  "unknownMetrics": "ACCEPT",
  "invalidValues": "FLAG",
  "discoverSensors": true,
  "expectedIntervalSeconds": 300
}
$definition$ from device_templates where tenant_id is null and key = 'humidity-sensor';

insert into template_versions (template_id, version, created_by, definition)
select id, version, 'platform', $definition$
{
  "metrics": [
    {"key":"fix","name":"Fix","type":"ENUM","unit":null,"min":null,"max":null,"precision":null,"required":true,"values":["NONE","2D","3D"]},
    {"key":"speed","name":"Speed over ground","type":"FLOAT","unit":"km/h","min":0,"max":600,"precision":1,"required":false,"values":[]},
    {"key":"heading","name":"Course over ground","type":"FLOAT","unit":"deg","min":0,"max":360,"precision":1,"required":false,"values":[]},
    {"key":"altitude","name":"Altitude above sea level","type":"FLOAT","unit":"m","min":-500,"max":10000,"precision":1,"required":false,"values":[]},
    {"key":"satellites","name":"Satellites in use","type":"INTEGER","unit":null,"min":0,"max":64,"precision":null,"required":false,"values":[]},
    {"key":"hdop","name":"Horizontal dilution of precision","type":"FLOAT","unit":null,"min":0,"max":100,"precision":1,"required":false,"values":[]},
    {"key":"moving","name":"Moving","type":"BOOLEAN","unit":null,"min":null,"max":null,"precision":null,"required":false,"values":[]},
    {"key":"battery","name":"Battery charge","type":"FLOAT","unit":"%","min":0,"max":100,"precision":0,"required":false,"values":[]},
    {"key":"signal_strength","name":"Signal strength","type":"INTEGER","unit":"dBm","min":-140,"max":0,"precision":null,"required":false,"values":[]}
  ],
  "commands": [
    {"key":"set_report_interval","name":"Set report interval","description":"Sends a message every so many seconds from now on.","params":{"type":"object","properties":{"seconds":{"type":"integer","minimum":1,"maximum":86400}},"required":["seconds"],"additionalProperties":false},"response":{"type":"object","properties":{"seconds":{"type":"integer"}}}},
    {"key":"locate","name":"Locate","description":"Sends its position at once.","params":null,"response":null}
  ],
  "slots": [],
  "transports": [
    {"protocol":"MQTT","link":"CELLULAR","settings":{}}
  ],
  "unknownMetrics": "ACCEPT",
  "invalidValues": "FLAG",
  "discoverSensors": true,
  "expectedIntervalSeconds": 60
}
$definition$ from device_templates where tenant_id is null and key = 'gps-tracker';

insert into template_versions (template_id, version, created_by, definition)
select id, version, 'platform', $definition$
{
  "metrics": [
    {"key":"voltage_dc","name":"Line voltage","type":"FLOAT","unit":"V","min":0,"max":3900,"precision":1,"required":true,"values":[]},
    {"key":"current_dc","name":"Line current","type":"FLOAT","unit":"A","min":-10000,"max":10000,"precision":1,"required":true,"values":[]},
    {"key":"power","name":"Power","type":"FLOAT","unit":"kW","min":-39000,"max":39000,"precision":1,"required":false,"values":[]},
    {"key":"energy","name":"Energy drawn","type":"FLOAT","unit":"kW.h","min":0,"max":null,"precision":2,"required":false,"values":[]},
    {"key":"energy_returned","name":"Energy fed back","type":"FLOAT","unit":"kW.h","min":0,"max":null,"precision":2,"required":false,"values":[]},
    {"key":"temperature","name":"Temperature inside","type":"FLOAT","unit":"Cel","min":-40,"max":105,"precision":1,"required":false,"values":[]},
    {"key":"battery","name":"Battery charge","type":"FLOAT","unit":"%","min":0,"max":100,"precision":0,"required":false,"values":[]}
  ],
  "commands": [
    {"key":"set_report_interval","name":"Set report interval","description":"Sends a message every so many seconds from now on.","params":{"type":"object","properties":{"seconds":{"type":"integer","minimum":1,"maximum":86400}},"required":["seconds"],"additionalProperties":false},"response":{"type":"object","properties":{"seconds":{"type":"integer"}}}},
    {"key":"reboot","name":"Reboot","description":"Restarts the device after a delay in seconds; at once without one.","params":{"type":"object","properties":{"delay_seconds":{"type":"integer","minimum":0,"maximum":3600}},"additionalProperties":false},"response":null},
    {"key":"reset_peaks","name":"Reset peaks","description":"Forgets the highest values it has seen; energy is never reset.","params":null,"response":null}
  ],
  "slots": [],
  "transports": [
    {"protocol":"MQTT","link":"CELLULAR","settings":{}},
    {"protocol":"MODBUS","link":"RS485","settings":{}}
  ],
  "unknownMetrics": "FLAG",
  "invalidValues": "FLAG",
  "discoverSensors": true,
  "expectedIntervalSeconds": 10
}
$definition$ from device_templates where tenant_id is null and key = 'dc-power-meter';

insert into template_versions (template_id, version, created_by, definition)
select id, version, 'platform', $definition$
{
  "metrics": [
    {"key":"voltage_ac","name":"Line voltage","type":"FLOAT","unit":"V","min":0,"max":29000,"precision":1,"required":true,"values":[]},
    {"key":"current_ac","name":"Line current","type":"FLOAT","unit":"A","min":0,"max":2500,"precision":1,"required":true,"values":[]},
    {"key":"frequency","name":"Frequency","type":"FLOAT","unit":"Hz","min":15,"max":65,"precision":3,"required":false,"values":[]},
    {"key":"pf","name":"Power factor","type":"FLOAT","unit":null,"min":-1,"max":1,"precision":3,"required":false,"values":[]},
    {"key":"thd","name":"Total harmonic distortion of the voltage","type":"FLOAT","unit":"%","min":0,"max":100,"precision":2,"required":false,"values":[]},
    {"key":"power","name":"Active power","type":"FLOAT","unit":"kW","min":-72500,"max":72500,"precision":1,"required":false,"values":[]},
    {"key":"energy","name":"Energy drawn","type":"FLOAT","unit":"kW.h","min":0,"max":null,"precision":2,"required":false,"values":[]},
    {"key":"energy_returned","name":"Energy fed back","type":"FLOAT","unit":"kW.h","min":0,"max":null,"precision":2,"required":false,"values":[]},
    {"key":"temperature","name":"Temperature inside","type":"FLOAT","unit":"Cel","min":-40,"max":105,"precision":1,"required":false,"values":[]},
    {"key":"battery","name":"Battery charge","type":"FLOAT","unit":"%","min":0,"max":100,"precision":0,"required":false,"values":[]}
  ],
  "commands": [
    {"key":"set_report_interval","name":"Set report interval","description":"Sends a message every so many seconds from now on.","params":{"type":"object","properties":{"seconds":{"type":"integer","minimum":1,"maximum":86400}},"required":["seconds"],"additionalProperties":false},"response":{"type":"object","properties":{"seconds":{"type":"integer"}}}},
    {"key":"reboot","name":"Reboot","description":"Restarts the device after a delay in seconds; at once without one.","params":{"type":"object","properties":{"delay_seconds":{"type":"integer","minimum":0,"maximum":3600}},"additionalProperties":false},"response":null},
    {"key":"reset_peaks","name":"Reset peaks","description":"Forgets the highest values it has seen; energy is never reset.","params":null,"response":null}
  ],
  "slots": [],
  "transports": [
    {"protocol":"MQTT","link":"CELLULAR","settings":{}},
    {"protocol":"MODBUS","link":"RS485","settings":{}}
  ],
  "unknownMetrics": "FLAG",
  "invalidValues": "FLAG",
  "discoverSensors": true,
  "expectedIntervalSeconds": 10
}
$definition$ from device_templates where tenant_id is null and key = 'ac-power-meter';

insert into template_versions (template_id, version, created_by, definition)
select id, version, 'platform', $definition$
{
  "metrics": [],
  "commands": [],
  "slots": [],
  "transports": [
    {"protocol":"MQTT","link":null,"settings":{}},
    {"protocol":"HTTP","link":null,"settings":{}}
  ],
  "unknownMetrics": "ACCEPT",
  "invalidValues": "ACCEPT",
  "discoverSensors": true,
  "expectedIntervalSeconds": null
}
$definition$ from device_templates where tenant_id is null and key = 'generic';

reset role;
